import type { Broker } from '../broker.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { assertKnownNames } from '../options/option-values.ts'
import { BrokerError } from '../shared/errors.ts'

const names: { readonly [Name in keyof Required<TokenRequest>]: true } = {
  clientId: true,
  clientSecret: true,
  scope: true,
  audiences: true,
}

/**
 * Validates the token request in an option `token` and returns a copy, so that later changes have no effect. Throws a
 * `TypeError` that starts with `token`.
 */
export function checkedTokenRequest(broker: Pick<Broker, 'peekToken'>, token: TokenRequest): TokenRequest {
  if (typeof token !== 'object' || token === null) throw new TypeError('token must be a token request')
  assertKnownNames(token, Object.keys(names), 'token.')
  const { clientId, clientSecret, scope, audiences } = token
  const request = { clientId, clientSecret, scope, audiences: audiences && [...audiences] }
  try {
    broker.peekToken(request)
  } catch (error) {
    throw BrokerError.is(error) ? new TypeError(`token: ${error.message}`) : error
  }
  return request
}
