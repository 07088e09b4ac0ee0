import { BrokerError } from '../shared/errors.ts'

/** How the client authenticates at the token endpoint (RFC 6749 section 2.3.1; names of RFC 7591). */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post'

/** Whose token, and for what: everything of a token request that differs from caller to caller. */
export interface ClientCredentials {
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated, as it goes on the wire; empty when no scope is asked for. */
  readonly scope: string
  /** Whether client id and secret both come from the configuration: then a rejection is the operator's matter. */
  readonly configured: boolean
}

export const maxClientIdLength = 256
export const maxClientSecretLength = 4096
export const maxScopeLength = 1024

const audienceScopePrefix = 'audience:server:client_id:'
const audiencePattern = /^[\x21-\x7e]+$/
const scopePattern = /^[\x20-\x7e]*$/

/**
 * Dex's spelling of "a token for these audiences": one scope each (Dex ignores `audience` and `resource`).
 *
 * An audience is the client id of the peer; white space in it would smuggle in another scope, so it is refused.
 */
export function scopeWithAudiences(scope: string, audiences: readonly string[]): string {
  // A string is iterable too: its letters would become audiences.
  if (!Array.isArray(audiences)) throw new TypeError('audiences must be an array of client ids')
  if (audiences.length === 0) return scope
  const scopes = scope === '' ? [] : [scope]
  for (const audience of audiences) {
    if (typeof audience !== 'string' || !audiencePattern.test(audience)) {
      throw new BrokerError('invalid_request', 'an audience must be a client id of visible ASCII characters')
    }
    scopes.push(audienceScopePrefix + audience)
  }
  return scopes.join(' ')
}

/** Refuses what cannot be sent: parts that are missing, too long, or cannot be encoded. */
export function assertClientCredentials({ clientId, clientSecret, scope }: ClientCredentials): void {
  if (clientId === '' || clientSecret === '') {
    throw new BrokerError('missing_credentials', 'client id or client secret is missing')
  }
  if (clientId.length > maxClientIdLength) throw new BrokerError('invalid_request', 'client id is too long')
  if (clientSecret.length > maxClientSecretLength) {
    throw new BrokerError('invalid_request', 'client secret is too long')
  }
  if (scope.length > maxScopeLength) throw new BrokerError('invalid_request', 'scope is too long')
  if (!scopePattern.test(scope)) throw new BrokerError('invalid_request', 'scope has invalid characters')
  if (!clientId.isWellFormed() || !clientSecret.isWellFormed()) {
    throw new BrokerError('invalid_request', 'client id or client secret is not valid Unicode')
  }
}
