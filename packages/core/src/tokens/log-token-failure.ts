import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'
import { networkFailureCode } from '../shared/http/network-failure.ts'
import { logText } from '../shared/log-text.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/**
 * Writes into the log that a token was not obtained: once for each request, never for each caller. Callers' own
 * credentials that Dex rejected are sampled.
 */
export function logTokenFailure(
  { logger, sampler, describeHint }: Surroundings,
  { credentials: { clientId, scope, configured } }: TokenOrder,
  failure: BrokerError,
): void {
  const { code, oauthError, cause } = failure
  const rejected = code === 'token_request_rejected'
  const hint =
    rejected && configured && oauthError !== 'invalid_scope'
      ? ({ problem: 'credentials_rejected', option: 'client' } as const)
      : failure.hint
  const fields = {
    code,
    clientId,
    scope,
    oauthError,
    hint: hint && describeHint(hint),
    cause: networkFailureCode(cause),
  }
  const message = `token request failed: ${failure.message}`
  if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
  else if (rejected && !configured) {
    // A stranger chooses them, and as many as they like.
    const shown = { ...fields, clientId: logText(clientId), scope: logText(scope) }
    sampler.note('rejected_credentials', count => logger.warn({ ...shown, count }, message))
  } else logger.error(fields, message)
}
