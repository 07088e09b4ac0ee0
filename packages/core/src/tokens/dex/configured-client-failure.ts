import { audienceScopePrefix } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { HintProblem } from '../../shared/hint.ts'

/** Rejections of the client itself. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

/**
 * A failure as it concerns whose client it is: what Dex rejects of a client that the configuration gives is the
 * operator's fault, `client_misconfigured`, and no caller can do anything about it.
 */
export function ofConfigured({ credentials }: TokenOrder, failure: BrokerError): BrokerError {
  const { code, oauthError, oauthErrorDescription, retryAfterMs } = failure
  if (code !== 'token_request_rejected' || !credentials.configured) return failure
  const problem = problemOf(oauthError, credentials.scope)
  const isOurs =
    clientErrors.has(oauthError) || (oauthError === 'invalid_scope' && credentials.scopeConfigured)
  const options = {
    retryAfterMs,
    oauthError,
    oauthErrorDescription,
    hint: problem && { problem, option: 'client' },
  }
  return isOurs
    ? new BrokerError('client_misconfigured', 'the configured client was rejected', options)
    : new BrokerError(code, failure.message, options)
}

function problemOf(oauthError: string | undefined, scope: string): HintProblem | undefined {
  if (clientErrors.has(oauthError)) return 'credentials_rejected'
  if (oauthError !== 'invalid_scope') return undefined
  return scope.includes(audienceScopePrefix) ? 'peer_does_not_trust' : 'scope_rejected'
}
