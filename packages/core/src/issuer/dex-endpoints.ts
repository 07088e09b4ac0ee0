import type { MaybePromise } from '../shared/maybe-promise.ts'
import { discoveryUrl, type IssuerMetadata } from './issuer-metadata.ts'

export interface DexEndpointsOptions {
  readonly issuer: string | undefined
  /** Wins over what the issuer says. */
  readonly tokenEndpoint: string | undefined
  /** Wins over what the issuer says. */
  readonly jwksUri: string | undefined
  /** Needed when there is an issuer. */
  readonly metadata: IssuerMetadata | undefined
}

/** Where Dex is asked: as configured, otherwise as its issuer says. */
export class DexEndpoints {
  readonly #options: DexEndpointsOptions

  constructor(options: DexEndpointsOptions) {
    this.#options = options
  }

  /** Starts to discover what is not known, and says whether the token endpoint is. */
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

  /** Whether a URL is one at which the broker asks Dex: for tokens, for keys, or where they are. */
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

/** The query does not make another endpoint. */
function isAt(url: URL, endpoint: URL): boolean {
  return url.origin === endpoint.origin && url.pathname === endpoint.pathname
}
