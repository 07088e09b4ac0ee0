import { optionRules } from '../options/broker-options.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'

/** Whose token, and for what: everything of a token request that differs from caller to caller. */
export interface ClientCredentials {
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated, as it goes on the wire; empty when no scope is asked for. */
  readonly scope: string
  /** Whether client id and secret both come from the configuration: then a rejection is the operator's matter. */
  readonly configured: boolean
  /** Whether scope and audiences do, too. */
  readonly scopeConfigured?: boolean
}

/** How Dex spells "a token for this client" as a scope. */
export const audienceScopePrefix = 'audience:server:client_id:'
/** A scope token (RFC 6749 section 3.3): the audience becomes a part of one. */
const audiencePattern = /^[!#-[\]-~]+$/
const scopePattern = /^[\x20-\x7e]*$/

/**
 * Dex's spelling of "a token for these audiences": one scope each (Dex ignores `audience` and `resource`).
 *
 * An audience is the client id of the peer; a blank in it would smuggle in another scope.
 */
export function scopeWithAudiences(scope: string, audiences: readonly string[]): string {
  // A string is iterable too: its letters would become audiences.
  if (!Array.isArray(audiences)) throw new TypeError('audiences must be an array of client ids')
  if (audiences.length === 0) return scope
  const scopes = scope === '' ? [] : [scope]
  for (const audience of audiences) {
    const problem = audienceProblem(audience)
    if (problem !== undefined) throw new BrokerError('invalid_request', `an audience ${problem}`)
    scopes.push(audienceScopePrefix + audience)
  }
  return scopes.join(' ')
}

/** Why a client id cannot be an audience, in words that follow it; `undefined` when it can. */
export function audienceProblem(audience: unknown): string | undefined {
  if (typeof audience !== 'string') return 'must be a client id'
  return audiencePattern.test(audience) ? undefined : 'contains a character that a scope cannot contain'
}

/** Refuses what cannot be sent: parts that are missing, too long, or cannot be encoded. `hint`: for a missing one. */
export function assertClientCredentials(
  { clientId, clientSecret, scope }: ClientCredentials,
  hint?: Hint | undefined,
): void {
  if (clientId === '' || clientSecret === '') {
    throw new BrokerError('missing_credentials', 'client id or client secret is missing', { hint })
  }
  if (clientId.length > optionRules['client.clientId'].maxLength)
    throw new BrokerError('invalid_request', 'client id is too long')
  if (clientSecret.length > optionRules['client.clientSecret'].maxLength) {
    throw new BrokerError('invalid_request', 'client secret is too long')
  }
  if (scope.length > optionRules['client.scope'].maxLength)
    throw new BrokerError('invalid_request', 'scope is too long')
  if (!scopePattern.test(scope)) throw new BrokerError('invalid_request', 'scope has invalid characters')
  if (!clientId.isWellFormed() || !clientSecret.isWellFormed()) {
    throw new BrokerError('invalid_request', 'client id or client secret is not valid Unicode')
  }
}
