import type { Broker } from '../broker.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { BrokerError } from '../shared/errors.ts'
import { tokenRequestOf } from './token-request-of.ts'

/**
 * Validates the token request in an option `token` and returns a copy, so that later changes have no effect. Throws a
 * `TypeError` that starts with `token`.
 */
export function checkedTokenRequest(broker: Pick<Broker, 'peekToken'>, token: TokenRequest): TokenRequest {
  const request = tokenRequestOf(token, 'token must be a token request')
  try {
    broker.peekToken(request)
  } catch (error) {
    throw BrokerError.is(error) || error instanceof TypeError
      ? new TypeError(`token: ${error.message}`)
      : error
  }
  return request
}
