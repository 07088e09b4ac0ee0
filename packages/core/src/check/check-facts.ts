import type { TokenOrder } from '../clients/token-order.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import { JwtRefusal, type ProvenCaller } from '../gate/jwt/jwt-refusal.ts'
import { BrokerError } from '../shared/errors.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'

/**
 * Facts about a check, for access logs and the metadata of a proxy. A check fills in an empty object that its request brings; each
 * fact is absent until it is known, also in a refusal. None of them is a token or a secret.
 */
export interface CheckFacts {
  /** The name of the rule that decided. */
  rule?: string | undefined
  /** The name of the client: one in the option `clients`, `default`, or `caller` for the caller's own credentials. */
  client?: string | undefined
  /** The name of the issuer of the caller's JWT; only for a JWT whose signature is verified. */
  issuer?: string | undefined
  /** The claim `sub` of the caller's verified JWT; absent when it is empty. */
  subject?: string | undefined
  /** The true expiry of the token that the request gets, in milliseconds since 1970. */
  expiresAt?: number | undefined
  /**
   * Where the token came from. `hit`: from the cache. `miss`: the check waited for it, or got none. `stale`: the token is past its
   * normal use, because Dex is unavailable.
   */
  cache?: 'hit' | 'miss' | 'stale' | undefined
  /** Why the request is refused: a `JwtRefusalReason`, or the message of the error. */
  reason?: string | undefined
}

/** Notes the caller of a verified JWT. */
export function noteCaller(facts: CheckFacts, { issuer, subject }: ProvenCaller): void {
  facts.issuer = issuer
  if (subject !== '') facts.subject = subject
}

/** Notes why a check is refused. Only the JWT of a refusal for a group or scope proves its caller. */
export function noteRefusal(facts: CheckFacts, error: unknown): void {
  if (!BrokerError.is(error)) return
  facts.reason = error.message
  if (!(error.cause instanceof JwtRefusal)) return
  const { caller, reason } = error.cause
  facts.reason = reason
  if (caller !== undefined) noteCaller(facts, caller)
}

/** Notes the client of an order; `name` is its name where the configuration has both parts of its credentials. */
export function noteClient(facts: CheckFacts, name: string, { credentials }: TokenOrder): void {
  facts.client = credentials.configured ? name : 'caller'
}

/** Notes that the caller's own JWT passes. */
export function notePassing(facts: CheckFacts, { claims: { exp } }: AuthenticatedCaller): void {
  if (typeof exp === 'number') facts.expiresAt = exp * 1000
}

/** Notes a token. The facts about one that is still under way are complete before the check is. */
export function noteToken(facts: CheckFacts, token: MaybePromise<IssuedToken>): void {
  if (!(token instanceof Promise)) {
    noteIssued(facts, token, 'hit')
    return
  }
  facts.cache = 'miss'
  token.then(
    issued => noteIssued(facts, issued, 'miss'),
    () => {},
  )
}

function noteIssued(facts: CheckFacts, { expiresAt, stale }: IssuedToken, cache: 'hit' | 'miss'): void {
  facts.expiresAt = expiresAt
  facts.cache = stale ? 'stale' : cache
}
