import { optionRules } from '../options/broker-options.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import { isMutualTls } from '../shared/is-mutual-tls.ts'
import type { ClientAssertions } from './client-assertions.ts'
import type { ClientAuthenticationMethod } from './client-authentication.ts'
import { clientSecretProblem } from './client-secret.ts'
import type { ConfiguredSecret } from './configured-secret.ts'
import type { RequestParts } from './request-parameters.ts'

/** The parts of a token request that differ from caller to caller, as they are sent. */
export interface ClientCredentials extends RequestParts {
  readonly clientId: string
  /** Empty for a client that authenticates without one. */
  readonly clientSecret: string
  /** Whether client id and secret both come from the configuration, so that a rejection is the operator's fault. */
  readonly configured: boolean
  /** Whether scope, audiences, resource and additional parameters come from the configuration as well. */
  readonly scopeConfigured?: boolean
  /** The name of a named client. */
  readonly client?: string | undefined
  /** Default: the method of the token endpoint. */
  readonly authMethod?: ClientAuthenticationMethod | undefined
  /** The signed assertion in place of a secret. */
  readonly assertion?: string | undefined
}

/** The same before the request is sent: a configured secret can change until then, and each request has its own assertion. */
export interface OrderedCredentials extends Omit<ClientCredentials, 'clientSecret' | 'assertion'> {
  /** The private key of a client that has one. */
  readonly clientSecret: string | ConfiguredSecret
  /** Makes the assertions of a client that authenticates by them. */
  readonly assertions?: ClientAssertions | undefined
}

/** The scope prefix with which Dex requests a token for another client. */
export const audienceScopePrefix = 'audience:server:client_id:'
/** The characters of a scope token (RFC 6749 section 3.3), of which the audience becomes a part. */
const scopeTokenPattern = /^[!#-[\]-~]+$/
const scopePattern = /^[\x20-\x7e]*$/

/**
 * Adds audiences to a scope in the form of Dex: one scope per audience, because Dex ignores `audience` and `resource`.
 *
 * An audience is the client id of the peer. A blank in it would add another scope, and is refused.
 */
export function scopeWithAudiences(scope: string, audiences: readonly string[]): string {
  // A string is iterable: its letters would become audiences.
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

/** Tells why a client id cannot be an audience, in words that follow it; `undefined` when it can. */
export function audienceProblem(audience: unknown): string | undefined {
  return typeof audience === 'string' ? scopeTokenProblem(audience) : 'must be a client id'
}

/** Tells why a text cannot be a single scope or a part of it, in words that follow it; `undefined` when it can. */
export function scopeTokenProblem(text: string): string | undefined {
  return scopeTokenPattern.test(text) ? undefined : 'contains a character that a scope cannot contain'
}

/** Throws `BrokerError` for parts that are missing, too long or not encodable. `hint` is for a missing part. */
export function assertClientCredentials(
  { clientId, clientSecret, scope, authMethod, assertions }: OrderedCredentials,
  hint?: Hint | undefined,
): void {
  const needsSecret = assertions?.hasFunction !== true && !isMutualTls(authMethod)
  if (clientId === '' || (clientSecret === '' && needsSecret)) {
    throw new BrokerError('missing_credentials', 'client id or client secret is missing', { hint })
  }
  if (clientId.length > optionRules['client.clientId'].maxLength)
    throw new BrokerError('invalid_request', 'client id is too long')
  const secretProblem =
    needsSecret && typeof clientSecret === 'string' ? clientSecretProblem(clientSecret) : undefined
  if (secretProblem !== undefined) throw new BrokerError('invalid_request', `client secret ${secretProblem}`)
  if (scope.length > optionRules['client.scope'].maxLength)
    throw new BrokerError('invalid_request', 'scope is too long')
  if (!scopePattern.test(scope)) throw new BrokerError('invalid_request', 'scope has invalid characters')
  if (!clientId.isWellFormed()) throw new BrokerError('invalid_request', 'client id is not valid Unicode')
}
