import type { CacheKeys } from './cache-key.ts'
import { assertClientCredentials, type ClientCredentials, scopeWithAudiences } from './client-credentials.ts'
import { TokenOrder } from './token-order.ts'
import type { TokenRequest } from './token-request.ts'

/** The parts of a token request that the configuration gives. */
export interface ConfiguredClient {
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly scope: string | undefined
  readonly audiences: readonly string[]
}

export interface ClientOptions {
  readonly name: string
  /** The name of the issuer from which its tokens come. */
  readonly issuer: string
  readonly configured: ConfiguredClient
  readonly keys: CacheKeys
}

/** A client of an issuer: completes what a request leaves out. Its own order, which is wanted most, is derived once. */
export class Client {
  readonly name: string
  readonly configured: ConfiguredClient
  readonly #issuer: string
  readonly #keys: CacheKeys
  #ownOrder: TokenOrder | undefined

  constructor({ name, issuer, configured, keys }: ClientOptions) {
    this.name = name
    this.configured = configured
    this.#issuer = issuer
    this.#keys = keys
  }

  /** Throws `missing_credentials` or `invalid_request`. */
  order(request: TokenRequest): TokenOrder {
    const { clientId, clientSecret, scope, audiences } = request
    if (
      clientId === undefined &&
      clientSecret === undefined &&
      scope === undefined &&
      audiences === undefined
    ) {
      if ('then' in request) throw new TypeError('a token request is no promise: await it')
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
    assertClientCredentials(credentials)
    return new TokenOrder(credentials, this.#issuer, this.#keys)
  }
}
