import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'
import { failureFields } from '../shared/failure-fields.ts'
import { logText } from '../shared/log-text.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/**
 * Logs a failed token request: once per request, not once per caller. Rejections of callers' own credentials are sampled,
 * and Dex's description of them is logged at debug only, because unauthenticated callers can influence it.
 */
export function logTokenFailure(
  surroundings: Surroundings,
  { credentials: { client, clientId, scope, configured, exchange } }: TokenOrder,
  failure: BrokerError,
): void {
  const { logger, sampler } = surroundings
  loggedRefusal(failure)
  const shown = { clientId: logText(clientId), scope: logText(scope) }
  const { code, oauthError, oauthErrorDescription, cause } = failure
  const fields = {
    code,
    ...(client !== undefined && { client }),
    clientId,
    ...(exchange !== undefined && { connectorId: exchange.connectorId }),
    scope,
    oauthError,
    ...(configured && { oauthErrorDescription }),
    ...failureFields(failure, surroundings),
  }
  if (!configured && oauthErrorDescription !== undefined) {
    logger.debug(
      { clientId: shown.clientId, oauthError, oauthErrorDescription },
      'token request rejected by Dex',
    )
  }
  const message = `token request failed: ${failure.message}`
  if (code === 'forbidden') {
    // Users bring the subject tokens.
    sampler.note('rejected_subjects', count => logger.warn({ ...fields, count }, message))
  } else if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
  else if (code === 'token_request_rejected' && !configured) {
    // Unauthenticated callers choose these credentials, as many as they like.
    sampler.note('rejected_credentials', count => logger.warn({ ...fields, ...shown, count }, message))
  } else logger.error(fields, message)
}
