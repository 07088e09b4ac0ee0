import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'
import { networkFailureCode } from '../shared/http/network-failure.ts'
import { shownUrl } from '../shared/http/shown-url.ts'
import { logText } from '../shared/log-text.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/**
 * Writes into the log that a token was not obtained: once for each request, never for each caller. Callers' own
 * credentials that Dex rejected are sampled.
 */
export function logTokenFailure(
  { logger, sampler, describeHint, requestTimeoutMs }: Surroundings,
  { credentials: { clientId, scope, configured } }: TokenOrder,
  failure: BrokerError,
  url?: string,
): void {
  const { code, oauthError, oauthErrorDescription, hint, cause } = failure
  const isCallers = code === 'token_request_rejected' && !configured
  const fields = {
    code,
    clientId,
    scope,
    oauthError,
    oauthErrorDescription,
    hint: hint && describeHint(hint),
    cause: networkFailureCode(cause),
    url: url && shownUrl(url),
    ...(code === 'token_endpoint_unavailable' && { timeoutMs: requestTimeoutMs }),
  }
  const message = `token request failed: ${failure.message}`
  if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
  else if (isCallers) {
    // A stranger chooses them, and as many as they like.
    const shown = { ...fields, clientId: logText(clientId), scope: logText(scope) }
    sampler.note('rejected_credentials', count => logger.warn({ ...shown, count }, message))
  } else logger.error(fields, message)
}
