import type { CacheKeys } from './cache-key.ts'
import type { ClientCredentials } from './client-credentials.ts'

/** The issuer of the token of an order. The object itself identifies it, because a name can change its meaning. */
export interface OrderIssuer {
  readonly name: string
}

/** A complete token request with its cache key. */
export class TokenOrder {
  readonly credentials: ClientCredentials
  readonly issuer: OrderIssuer
  /** The key under which the token is cached and its request shared. */
  readonly key: string
  readonly #keys: CacheKeys
  #clientKey: string | undefined

  constructor(credentials: ClientCredentials, issuer: OrderIssuer, keys: CacheKeys) {
    this.credentials = credentials
    this.issuer = issuer
    this.key = keys.ofToken(credentials)
    this.#keys = keys
  }

  /** The key of the client and its secret, whatever the scope. Derived at first use, because most orders never need it. */
  get clientKey(): string {
    this.#clientKey ??= this.#keys.ofClient(this.credentials)
    return this.#clientKey
  }
}
