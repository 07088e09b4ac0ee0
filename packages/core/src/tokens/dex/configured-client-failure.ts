import { audienceScopePrefix, type ClientCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'

/** Rejections of the client itself. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

/**
 * A failure as it concerns whose client it is: what Dex rejects of a client that the configuration gives is the
 * operator's fault, `client_misconfigured`, and no caller can do anything about it. With a hint for the operator, also
 * where a caller brings the client and the operator has to mend Dex.
 */
export function ofConfigured({ credentials }: TokenOrder, failure: BrokerError): BrokerError {
  const { code, oauthError, oauthErrorDescription, retryAfterMs } = failure
  if (code !== 'token_request_rejected') return failure
  const { configured, scopeConfigured } = credentials
  const hint = hintFor(oauthError, credentials)
  const options = { retryAfterMs, oauthError, oauthErrorDescription, hint }
  const isOurs = clientErrors.has(oauthError) || (oauthError === 'invalid_scope' && scopeConfigured)
  return configured && isOurs
    ? new BrokerError('client_misconfigured', 'the configured client was rejected', options)
    : new BrokerError(code, failure.message, options)
}

function hintFor(oauthError: string | undefined, { configured, scope }: ClientCredentials): Hint | undefined {
  // The peer's entry in Dex is the operator's, whoever asks.
  if (oauthError === 'invalid_scope' && scope.includes(audienceScopePrefix)) {
    return { problem: 'peer_does_not_trust', option: 'client.audiences' }
  }
  if (!configured) return undefined
  if (clientErrors.has(oauthError)) return { problem: 'credentials_rejected', option: 'client' }
  if (oauthError === 'invalid_request') return { problem: 'request_not_understood', option: 'client' }
  return oauthError === 'invalid_scope' ? { problem: 'scope_rejected', option: 'client.scope' } : undefined
}
