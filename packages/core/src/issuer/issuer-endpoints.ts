import { shownUrl } from '../shared/http/shown-url.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { EndpointName, IssuerMetadata } from './issuer-metadata.ts'

export interface IssuerEndpointsOptions {
  /** Overrides discovery. */
  readonly tokenEndpoint: string | undefined
  /** Overrides discovery. */
  readonly jwksUri: string | undefined
  /** URL of the discovery document, also when it is not needed. */
  readonly discoveryUrl: string | undefined
  /** Required for an endpoint that is not configured. */
  readonly metadata: IssuerMetadata | undefined
}

/** The endpoints of an issuer: configured, else discovered. */
export class IssuerEndpoints {
  readonly #options: IssuerEndpointsOptions

  constructor(options: IssuerEndpointsOptions) {
    this.#options = options
  }

  /** Starts discovery if it is needed, and tells whether the token endpoint is known. */
  prepare(): boolean {
    const { tokenEndpoint, metadata } = this.#options
    if (tokenEndpoint !== undefined || metadata?.document !== undefined) return true
    metadata?.load().catch(() => {})
    return false
  }

  readonly tokenEndpoint = (parent?: SpanContext): MaybePromise<string> =>
    this.#endpoint('tokenEndpoint', parent)

  /** The token endpoint for clients that a certificate authenticates. */
  readonly mtlsTokenEndpoint = (parent?: SpanContext): MaybePromise<string> => {
    const { tokenEndpoint, metadata } = this.#options
    if (tokenEndpoint !== undefined || metadata === undefined) return this.tokenEndpoint(parent)
    if (metadata.document === undefined) {
      return metadata
        .load(parent)
        .then(() => metadata.document?.mtlsTokenEndpoint ?? this.tokenEndpoint(parent))
    }
    return metadata.document.mtlsTokenEndpoint ?? this.tokenEndpoint(parent)
  }

  readonly jwksUri = (parent?: SpanContext): MaybePromise<string> => this.#endpoint('jwksUri', parent)

  /** Tells whether a URL is an endpoint that the broker uses: token endpoint, key set or discovery. */
  includes(url: URL): boolean {
    const { tokenEndpoint, jwksUri, discoveryUrl, metadata } = this.#options
    const discovered = metadata?.document
    const own = [
      tokenEndpoint,
      discovered?.tokenEndpoint,
      discovered?.mtlsTokenEndpoint,
      jwksUri,
      discovered?.jwksUri,
      discoveryUrl,
    ]
    return own.some(endpoint => endpoint !== undefined && isAt(url, new URL(endpoint)))
  }

  /** The URL of an endpoint as a person may see it; `undefined` until it is known. */
  shown(name: EndpointName): string | undefined {
    const url = this.#options[name] ?? this.#options.metadata?.document?.[name]
    return url && shownUrl(url)
  }

  /** The URL of the alias for client certificates as a person may see it; `undefined` when there is none. */
  get shownMtlsTokenEndpoint(): string | undefined {
    const url = this.#options.tokenEndpoint ?? this.#options.metadata?.document?.mtlsTokenEndpoint
    return url && shownUrl(url)
  }

  #endpoint(name: EndpointName, parent: SpanContext | undefined): MaybePromise<string> {
    return this.#options[name] ?? this.#options.metadata?.document?.[name] ?? this.#discovered(name, parent)
  }

  async #discovered(name: EndpointName, parent: SpanContext | undefined): Promise<string> {
    const endpoint = (await this.#options.metadata?.load(parent))?.[name]
    if (endpoint === undefined) throw new TypeError(`nothing tells the ${name} of the issuer`)
    return endpoint
  }
}

/** Ignores the query. */
function isAt(url: URL, endpoint: URL): boolean {
  return url.origin === endpoint.origin && url.pathname === endpoint.pathname
}
