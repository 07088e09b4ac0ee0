import type { Hint } from '../shared/hint.ts'
import type { CacheKeys } from './cache-key.ts'
import { assertClientCredentials, type ClientCredentials, scopeWithAudiences } from './client-credentials.ts'
import { TokenOrder } from './token-order.ts'
import type { TokenRequest } from './token-request.ts'

/** The parts of a token request that come from the configuration. */
export interface ConfiguredClient {
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly scope: string | undefined
  readonly audiences: readonly string[]
}

export interface ClientOptions {
  readonly name: string
  /** The name of the issuer of its tokens. */
  readonly issuer: string
  readonly configured: ConfiguredClient
  readonly keys: CacheKeys
}

/** A client of an issuer. Fills in the parts that a token request omits; derives the order of an empty request once. */
export class Client {
  readonly name: string
  readonly configured: ConfiguredClient
  readonly #issuer: string
  readonly #keys: CacheKeys
  readonly #missingHalf: Hint | undefined
  #ownOrder: TokenOrder | undefined

  constructor({ name, issuer, configured, keys }: ClientOptions) {
    this.name = name
    this.configured = configured
    this.#issuer = issuer
    this.#keys = keys
    this.#missingHalf = missingHalfOf(configured)
  }

  /** Completes a token request to an order. Throws `missing_credentials` or `invalid_request`. */
  order(request: TokenRequest): TokenOrder {
    const { clientId, clientSecret, scope, audiences } = request
    if (
      clientId === undefined &&
      clientSecret === undefined &&
      scope === undefined &&
      audiences === undefined
    ) {
      this.#ownOrder ??= this.#complete(request)
      return this.#ownOrder
    }
    return this.#complete(request)
  }

  #complete(request: TokenRequest): TokenOrder {
    const { clientId, clientSecret, scope, audiences } = this.configured
    const credentials: ClientCredentials = {
      clientId: request.clientId ?? clientId ?? '',
      clientSecret: request.clientSecret ?? clientSecret ?? '',
      scope: scopeWithAudiences(request.scope ?? scope ?? '', request.audiences ?? audiences),
      configured: request.clientId === undefined && request.clientSecret === undefined,
      scopeConfigured: request.scope === undefined && request.audiences === undefined,
    }
    assertClientCredentials(credentials, this.#missingHalf)
    return new TokenOrder(credentials, this.#issuer, this.#keys)
  }
}

/** Half a client can be intended, when requests bring the other half. If they do not, the usual cause is a misspelt option. */
function missingHalfOf({ clientId, clientSecret }: ConfiguredClient): Hint | undefined {
  if ((clientId === undefined) === (clientSecret === undefined)) return undefined
  return {
    problem: 'half_a_client',
    option: clientId === undefined ? 'client.clientId' : 'client.clientSecret',
  }
}
