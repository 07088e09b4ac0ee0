import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'
import { networkFailureCode } from '../shared/http/network-failure.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/** Writes into the log that a token was not obtained: once for each request, never for each caller. */
export function logTokenFailure(
  { logger, describeHint, requestTimeoutMs }: Surroundings,
  { credentials: { clientId, clientSecret, scope, configured } }: TokenOrder,
  failure: BrokerError,
  request: { readonly url?: string; readonly attempts?: number } = {},
): void {
  const { code, oauthError, hint, cause } = failure
  const isCallers = code === 'token_request_rejected' && !configured
  const description = withoutSecret(failure.oauthErrorDescription, clientSecret)
  const fields = {
    code,
    clientId,
    scope,
    oauthError,
    // What Dex says about callers' own clients is theirs, and they can write it.
    ...(isCallers ? {} : { oauthErrorDescription: description }),
    hint: hint && describeHint(hint),
    cause: networkFailureCode(cause),
    ...request,
    ...(code === 'token_endpoint_unavailable' && { timeoutMs: requestTimeoutMs }),
  }
  const message = `token request failed: ${failure.message}`
  if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
  else if (isCallers) {
    logger.warn(fields, message)
    if (description !== undefined)
      logger.debug({ clientId, oauthErrorDescription: description }, 'Dex gives a reason')
  } else logger.error(fields, message)
}

/** Nobody knows what an upstream repeats. */
function withoutSecret(text: string | undefined, secret: string): string | undefined {
  return text?.includes(secret) ? undefined : text
}
