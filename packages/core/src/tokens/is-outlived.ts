import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'

/** Whether an unexpired token stays in use: Dex is unavailable, or the operator has to correct the configuration or a secret. */
export function isOutlived(
  { secretVersion }: TokenOrder,
  { transient, code, oauthError }: BrokerError,
): boolean {
  if (transient || code === 'client_misconfigured') return true
  return secretVersion > 0 && oauthError === 'invalid_client'
}

/**
 * Whether a failure ends a token that is in use: Dex rejected the caller's credentials or scope, or with `forbidden` the user of an
 * exchange.
 */
export function endsToken(order: TokenOrder, failure: BrokerError): boolean {
  const isRejection = failure.code === 'token_request_rejected' || failure.code === 'forbidden'
  return isRejection && !isOutlived(order, failure)
}
