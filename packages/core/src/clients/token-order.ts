import type { CacheKeys } from './cache-key.ts'
import type { ClientCredentials } from './client-credentials.ts'

/** What is asked for, with everything filled in: whose token, for what, and what it is kept by. */
export class TokenOrder {
  readonly credentials: ClientCredentials
  /** The name of the issuer that is asked. */
  readonly issuer: string
  /** What the token is cached and shared by. */
  readonly key: string
  readonly #keys: CacheKeys
  #clientKey: string | undefined

  constructor(credentials: ClientCredentials, issuer: string, keys: CacheKeys) {
    this.credentials = credentials
    this.issuer = issuer
    this.key = keys.ofToken(credentials)
    this.#keys = keys
  }

  /** What the orders of one client and secret have in common, whatever they ask for. Derived when first asked: most never are. */
  get clientKey(): string {
    this.#clientKey ??= this.#keys.ofClient(this.credentials)
    return this.#clientKey
  }
}
