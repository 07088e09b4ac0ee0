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
 * Throws a `TypeError` that starts with `token` for what is no token request: a promise, nothing at all or a misspelt
 * name would else count as "the broker's own client", and give away its token.
 */
export function assertTokenRequest(token: unknown): asserts token is TokenRequest {
  if (typeof token !== 'object' || token === null) throw new TypeError('token must be a token request')
  if ('then' in token) throw new TypeError('token must be a token request, not a promise of one')
  assertKnownNames(token, Object.keys(names), 'token.')
}

/**
 * A copy of a token request that stands in somebody's options: it can no longer change, and a token can be asked for with
 * it. Throws a `TypeError` that starts with `token`.
 */
export function checkedTokenRequest(broker: Pick<Broker, 'peekToken'>, token: TokenRequest): TokenRequest {
  assertTokenRequest(token)
  const { clientId, clientSecret, scope, audiences } = token
  const request = { clientId, clientSecret, scope, audiences: audiences && [...audiences] }
  try {
    broker.peekToken(request)
  } catch (error) {
    throw BrokerError.is(error) ? new TypeError(`token: ${error.message}`) : error
  }
  return request
}
