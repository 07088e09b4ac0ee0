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

  constructor(credentials: ClientCredentials, issuer: string, keys: CacheKeys) {
    this.credentials = credentials
    this.issuer = issuer
    this.key = keys.ofToken(credentials)
    this.#keys = keys
  }

  /** What a rejection of the client itself is remembered by, whatever it asks for. Derived when asked: most never are. */
  get clientKey(): string {
    return this.#keys.ofClient(this.credentials)
  }
}
