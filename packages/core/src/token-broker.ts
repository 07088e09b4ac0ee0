import { BrokerParts } from './broker-parts.ts'
import type { AuthenticatedCaller, CheckRequest } from './check/check.ts'
import type { Verdict } from './check/verdict.ts'
import type { TokenRequest } from './clients/requested-tokens.ts'
import type { JwtClaims } from './gate/jwt/jwt.ts'
import type { TokenBrokerOptions } from './options/broker-options.ts'
import { resolveOptions } from './options/resolve-options.ts'
import type { Wait } from './shared/wait-for.ts'
import type { IssuedToken } from './tokens/issued-token.ts'

/** Counts since the start, and `entries` as it is now. */
export interface CacheStatistics {
  readonly entries: number
  readonly hits: number
  readonly misses: number
  /** Those of the misses that got a token past its normal use, because Dex could not answer. */
  readonly stale: number
  /** Living tokens that had to go because the cache was full. */
  readonly evictions: number
}

/**
 * Turns client credentials into Dex access tokens, once, and hands them out fast.
 *
 * Nothing is fetched before it is needed. Methods reject with `BrokerError`, with the reason of the caller's own
 * abort, or with `TypeError` for wrong use.
 */
export class TokenBroker implements AsyncDisposable {
  /** The header that carries `Bearer <token>`, in lower case. */
  readonly authorizationHeader: string
  /** Every header that a token may set, in lower case: the authorization header and the mapped ones. */
  readonly tokenHeaders: readonly string[]
  /** The request headers that carry a caller's credentials or JWT, in lower case; none when they are not to be removed. */
  readonly credentialHeaders: readonly string[]
  readonly #parts: BrokerParts

  /** Throws a `TypeError` that starts with the name of the wrong option. */
  constructor(options: TokenBrokerOptions) {
    const resolved = resolveOptions(options)
    this.authorizationHeader = resolved.authorizationHeader
    this.tokenHeaders = Object.freeze([
      resolved.authorizationHeader,
      ...resolved.tokenHeaders.map(({ header }) => header),
    ])
    this.credentialHeaders = Object.freeze(
      resolved.stripCredentialHeaders ? [...new Set(Object.values(resolved.credentialHeaders))] : [],
    )
    this.#parts = new BrokerParts(resolved)
  }

  /** A living token: from the cache, or by a request that is shared by all who want the same one. */
  async getToken(request: TokenRequest & Wait = {}): Promise<IssuedToken> {
    const { tokens, requestedTokens } = this.#parts
    return tokens.get(requestedTokens.resolve(request), request)
  }

  /** The token if it is cached, without waiting. Throws like `getToken` when credentials are missing or unusable. */
  peekToken(request: TokenRequest = {}): IssuedToken | undefined {
    const { tokens, requestedTokens } = this.#parts
    return tokens.peek(requestedTokens.resolve(request))
  }

  /**
   * Drops a token that a backend refused with 401, so that the next call gets another one; says whether it was dropped.
   *
   * Only the very token that is cached goes, so twenty refusals of one token cost one new token; and at most one of
   * those that the same request yields in 10 seconds, so that a backend that refuses every token cannot make Dex sign
   * one for each call.
   */
  invalidate(token: IssuedToken): boolean {
    return this.#parts.tokens.invalidate(token)
  }

  /** The claims of a caller's JWT that the gate accepts; else `invalid_token`, or `jwks_unavailable` without keys. */
  async verify(jwt: string, wait: Wait = {}): Promise<JwtClaims> {
    const { verifier } = this.#parts
    if (verifier === undefined) throw new TypeError('verify needs the option gate')
    return verifier.verify(jwt, wait)
  }

  /** The caller that a request's JWT proves, from its header lines; else the errors of `verify`. Needs the option `gate`. */
  authenticate(request: CheckRequest): Promise<AuthenticatedCaller> {
    return this.#parts.check.authenticate(request)
  }

  /** The verdict of `check` when it needs no waiting, otherwise `undefined`: a promise costs more than the check. */
  peekCheck(request: CheckRequest): Verdict | undefined {
    return this.#parts.check.peek(request)
  }

  /** Whether a request may go on, and with which headers. Rejects only with the reason of the caller's own abort. */
  check(request: CheckRequest): Promise<Verdict> {
    return this.#parts.check.run(request)
  }

  /** Whether checks can be answered: endpoints are known and, with a gate, keys at hand. Asking starts to load them. */
  get isReady(): boolean {
    return this.#parts.isReady
  }

  /** Whether the broker itself asks at a URL for tokens or their endpoint: no token belongs there. */
  asksAt(url: URL): boolean {
    return this.#parts.endpoints.includes(url)
  }

  get cacheStatistics(): CacheStatistics {
    const { cache, tokens } = this.#parts
    return { entries: cache.size, evictions: cache.evictions, ...tokens.lookups }
  }

  /** Ends what is under way, so that nothing keeps the process alive; whoever waits gets a `BrokerError`. */
  async close(): Promise<void> {
    this.#parts.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
