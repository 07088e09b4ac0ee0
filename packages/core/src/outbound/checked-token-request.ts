import { assertTokenRequest } from '../clients/assert-token-request.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { BrokerError } from '../shared/errors.ts'
import type { TokenProvider } from './token-provider.ts'
import { tokenRequestOf } from './token-request-of.ts'

/**
 * Validates the token request in an option `token` and returns a copy, so that later changes have no effect. Throws a
 * `TypeError` that starts with `token`.
 */
export function checkedTokenRequest(
  provider: Pick<TokenProvider, 'peekToken'>,
  token: TokenRequest,
): TokenRequest {
  const request = tokenRequestOf(token, 'token must be a token request')
  try {
    assertTokenRequest(request)
    provider.peekToken?.(request)
  } catch (error) {
    throw BrokerError.is(error) || error instanceof TypeError
      ? new TypeError(`token: ${error.message}`)
      : error
  }
  return request
}
