import type { CacheKeys } from './cache-key.ts'
import type { OrderedCredentials } from './client-credentials.ts'

/** The issuer of the token of an order. The object itself identifies it, because a name can change its meaning. */
export interface OrderIssuer {
  readonly name: string
}

/** A complete token request with its cache key. */
export class TokenOrder {
  readonly credentials: OrderedCredentials
  readonly issuer: OrderIssuer
  /** The key under which the token is cached and its request shared. */
  readonly key: string
  readonly #keys: CacheKeys
  #clientKey: string | undefined
  #subjectKey: string | undefined

  constructor(credentials: OrderedCredentials, issuer: OrderIssuer, keys: CacheKeys) {
    this.credentials = credentials
    this.issuer = issuer
    this.key = keys.ofToken(credentials)
    this.#keys = keys
  }

  /** The version of what authenticates a configured client, which is not part of the keys; 0 for a caller's own secret. */
  get secretVersion(): number {
    const { clientSecret, secretless } = this.credentials
    return typeof clientSecret === 'string' ? (secretless?.version ?? 0) : clientSecret.version
  }

  /** The key of the client and its secret, whatever the scope. Derived at first use, because most orders never need it. */
  get clientKey(): string {
    this.#clientKey ??= this.#keys.ofClient(this.credentials)
    return this.#clientKey
  }

  /** The key of those on whose account the token is cached: the user of an exchange, else the client. */
  get ownerKey(): string {
    const { exchange } = this.credentials
    if (exchange === undefined) return this.clientKey
    this.#subjectKey ??= this.#keys.ofSubject(exchange.subject)
    return this.#subjectKey
  }

  /** Identifies the token's record in a shared store ({@link CacheKeys.ofRecord}). */
  recordOf(responseFields: readonly string[]): string {
    return this.#keys.ofRecord(this.credentials, responseFields)
  }

  /** The key of an exchange without its subject token. */
  get exchangeKey(): string {
    return this.#keys.ofExchange(this.credentials)
  }
}
