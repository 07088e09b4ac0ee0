import { audienceScopePrefix, type ClientCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'

/** Rejections of the client itself. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])
/** Rejections of what is asked for (RFC 6749 section 5.2, RFC 8707 section 2). */
const scopeErrors = new Set<string | undefined>(['invalid_scope', 'invalid_target'])

/**
 * A failure as it concerns whose client it is: what Dex rejects of a client that the configuration gives is the
 * operator's fault, `client_misconfigured`, and no caller can do anything about it. With a hint for the operator, also
 * where a caller brings the client and the operator has to mend Dex.
 */
export function ofConfigured({ credentials }: TokenOrder, failure: BrokerError): BrokerError {
  const { code, oauthError, oauthErrorDescription, retryAfterMs } = failure
  if (code !== 'token_request_rejected') return failure
  const hint = hintFor(oauthError, credentials)
  const options = { retryAfterMs, oauthError, oauthErrorDescription, hint }
  return isOperators(oauthError, credentials)
    ? new BrokerError('client_misconfigured', 'the configured client was rejected', options)
    : new BrokerError(code, failure.message, options)
}

// With a caller's scope, whatever can be about the scope is about the caller's.
function isOperators(oauthError: string | undefined, credentials: ClientCredentials): boolean {
  const { configured, scopeConfigured } = credentials
  return configured && (scopeConfigured || clientErrors.has(oauthError) || oauthError === 'invalid_request')
}

function hintFor(oauthError: string | undefined, credentials: ClientCredentials): Hint | undefined {
  // The peer's entry in Dex is the operator's, whoever asks.
  if (scopeErrors.has(oauthError) && credentials.scope.includes(audienceScopePrefix)) {
    return { problem: 'peer_does_not_trust', option: 'client.audiences' }
  }
  if (!isOperators(oauthError, credentials)) return undefined
  if (clientErrors.has(oauthError)) return { problem: 'credentials_rejected', option: 'client' }
  if (oauthError === 'invalid_request') return { problem: 'request_not_understood', option: 'client' }
  if (scopeErrors.has(oauthError)) return { problem: 'scope_rejected', option: 'client.scope' }
  return { problem: 'client_refused', option: 'client' }
}
