import type { MaybePromise } from '../shared/maybe-promise.ts'
import { discoveryUrl, type IssuerMetadata } from './issuer-metadata.ts'

export interface DexEndpointsOptions {
  readonly issuer: string | undefined
  /** Overrides discovery. */
  readonly tokenEndpoint: string | undefined
  /** Overrides discovery. */
  readonly jwksUri: string | undefined
  /** Required with an issuer. */
  readonly metadata: IssuerMetadata | undefined
}

/** The endpoints of Dex: configured, else discovered. */
export class DexEndpoints {
  readonly #options: DexEndpointsOptions

  constructor(options: DexEndpointsOptions) {
    this.#options = options
  }

  /** Starts discovery if it is needed, and tells whether the token endpoint is known. */
  prepare(): boolean {
    const { tokenEndpoint, metadata } = this.#options
    if (tokenEndpoint !== undefined || metadata?.endpoints !== undefined) return true
    metadata?.load().catch(() => {})
    return false
  }

  readonly tokenEndpoint = (): MaybePromise<string> => {
    const { tokenEndpoint } = this.#options
    return tokenEndpoint ?? this.#metadata().endpoints?.tokenEndpoint ?? this.#discovered('tokenEndpoint')
  }

  readonly jwksUri = (): MaybePromise<string> => {
    return this.#options.jwksUri ?? this.#metadata().endpoints?.jwksUri ?? this.#discovered('jwksUri')
  }

  /** Tells whether a URL is an endpoint of Dex that the broker uses: token endpoint, key set or discovery. */
  includes(url: URL): boolean {
    const { issuer, tokenEndpoint, jwksUri, metadata } = this.#options
    const discovered = metadata?.endpoints
    const own = [
      tokenEndpoint,
      discovered?.tokenEndpoint,
      jwksUri,
      discovered?.jwksUri,
      issuer && discoveryUrl(issuer),
    ]
    return own.some(endpoint => endpoint !== undefined && isAt(url, new URL(endpoint)))
  }

  async #discovered(name: 'tokenEndpoint' | 'jwksUri'): Promise<string> {
    return (await this.#metadata().load())[name]
  }

  #metadata(): IssuerMetadata {
    const { metadata } = this.#options
    if (metadata === undefined) throw new TypeError('there is no issuer to discover endpoints from')
    return metadata
  }
}

/** Ignores the query. */
function isAt(url: URL, endpoint: URL): boolean {
  return url.origin === endpoint.origin && url.pathname === endpoint.pathname
}
