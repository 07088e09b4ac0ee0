import type { CacheKeys } from './cache-key.ts'
import { assertClientCredentials, type ClientCredentials, scopeWithAudiences } from './client-credentials.ts'

/** Which token a caller wants; what it leaves out comes from the configured client, part by part. */
export interface TokenRequest {
  /** At most 256 characters. */
  readonly clientId?: string | undefined
  /** At most 4,096 characters. */
  readonly clientSecret?: string | undefined
  /** Space-separated (RFC 6749 section 3.3), at most 1,024 characters together with the audiences. */
  readonly scope?: string | undefined
  /** Client ids of the peers that the token is for; each becomes Dex's scope `audience:server:client_id:<peer>`. */
  readonly audiences?: readonly string[] | undefined
}

/** The parts of a token request that the configuration gives. */
export interface ConfiguredClient {
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly scope: string | undefined
  readonly audiences: readonly string[]
}

/** A token request with everything filled in, and its key. */
export interface RequestedToken {
  readonly credentials: ClientCredentials
  readonly key: string
}

/** Completes token requests; the key of the configured client, which is asked for most, is derived once. */
export class RequestedTokens {
  readonly #client: ConfiguredClient
  readonly #keys: CacheKeys
  #configured: RequestedToken | undefined

  constructor(client: ConfiguredClient, keys: CacheKeys) {
    this.#client = client
    this.#keys = keys
  }

  /** Throws `missing_credentials` or `invalid_request`. */
  resolve(request: TokenRequest): RequestedToken {
    const { clientId, clientSecret, scope, audiences } = request
    if (
      clientId === undefined &&
      clientSecret === undefined &&
      scope === undefined &&
      audiences === undefined
    ) {
      this.#configured ??= this.#resolve(request)
      return this.#configured
    }
    return this.#resolve(request)
  }

  #resolve(request: TokenRequest): RequestedToken {
    const client = this.#client
    const credentials: ClientCredentials = {
      clientId: request.clientId ?? client.clientId ?? '',
      clientSecret: request.clientSecret ?? client.clientSecret ?? '',
      scope: scopeWithAudiences(request.scope ?? client.scope ?? '', request.audiences ?? client.audiences),
      configured: request.clientId === undefined && request.clientSecret === undefined,
    }
    assertClientCredentials(credentials)
    return { credentials, key: this.#keys.ofToken(credentials) }
  }
}
