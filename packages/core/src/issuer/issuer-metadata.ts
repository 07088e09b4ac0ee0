import { brokerClosed } from '../shared/broker-closed.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { getDocument } from '../shared/http/get-document.ts'
import { networkFailureCode, networkFailureHint } from '../shared/http/network-failure.ts'
import { parseJsonObject } from '../shared/http/parse-json-object.ts'
import { SharedFetch } from '../shared/shared-fetch.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/** Dex's document is 1.3 KiB. */
const maxDocumentBytes = 64 * 1024

/** Without user information and query, where a secret could be. */
const plainUrl = /^https?:\/\/[\w.~%:[\]/-]{1,300}$/i

export interface IssuerMetadataOptions {
  /** Compared exactly with what the document says. */
  readonly issuer: string
  readonly allowInsecureUrls: boolean
}

/** The endpoints that an issuer names. */
export interface IssuerEndpoints {
  readonly tokenEndpoint: string
  readonly jwksUri: string
}

/** Where the discovery document of an issuer is (OpenID Connect Discovery section 4). */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * The discovery document of an issuer: asked for when it is first needed, shared by all who need it, kept for good, and
 * asked for again, with pauses, while that fails.
 */
export class IssuerMetadata {
  readonly #surroundings: Surroundings
  readonly #options: IssuerMetadataOptions
  readonly #fetch: SharedFetch<IssuerEndpoints>
  #endpoints: IssuerEndpoints | undefined

  constructor(surroundings: Surroundings, options: IssuerMetadataOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#fetch = new SharedFetch(surroundings, {
      load: signal => this.#load(signal),
      asFailure: (error, timedOut) => (BrokerError.is(error) ? error : unreachable(error, timedOut)),
      onFailure: failure => this.#noteFailure(failure),
      // Short, because nothing works before it is there.
      pauses: { firstMs: 1_000, maxMs: 4_000 },
    })
  }

  /** What is known already. */
  get endpoints(): IssuerEndpoints | undefined {
    return this.#endpoints
  }

  load(): Promise<IssuerEndpoints> {
    return this.#endpoints === undefined ? this.#fetch.get() : Promise.resolve(this.#endpoints)
  }

  close(): void {
    this.#fetch.close(brokerClosed('token_endpoint_unavailable'))
  }

  async #load(signal: AbortSignal): Promise<IssuerEndpoints> {
    const { issuer } = this.#options
    const endpoints = await this.#document(signal)
    this.#endpoints = endpoints
    this.#surroundings.logger.info({ issuer, ...endpoints }, 'issuer discovered')
    this.#warnOfOtherHosts(endpoints)
    return endpoints
  }

  #noteFailure({ message, hint, cause }: BrokerError): void {
    const { logger, describeHint } = this.#surroundings
    const { issuer } = this.#options
    const fields = { issuer, hint: hint && describeHint(hint), cause: networkFailureCode(cause) }
    logger.error(fields, `issuer not discovered: ${message}`)
  }

  async #document(signal: AbortSignal): Promise<IssuerEndpoints> {
    const { issuer, allowInsecureUrls } = this.#options
    const url = discoveryUrl(issuer)
    const { transport } = this.#surroundings
    const { status, body } = await getDocument(url, { transport, signal, maxBytes: maxDocumentBytes })
    if (status >= 500) throw unavailable(`the discovery document was answered with status ${status}`)
    const document = status === 200 && body !== undefined ? parseJsonObject(body) : undefined
    if (document === undefined) {
      throw unusable(`there is no discovery document (status ${status})`, {
        problem: 'no_discovery_document',
        option: 'issuer',
        detail: url,
      })
    }
    if (document['issuer'] !== issuer) {
      throw unusable('the discovery document is that of another issuer', {
        problem: 'other_issuer',
        option: 'issuer',
        detail: plainUrlOf(document['issuer']),
      })
    }
    try {
      return {
        tokenEndpoint: endpointUrl(document['token_endpoint'], 'token_endpoint', allowInsecureUrls),
        jwksUri: endpointUrl(document['jwks_uri'], 'jwks_uri', allowInsecureUrls),
      }
    } catch (error) {
      throw unusable(`the discovery document is not usable: ${(error as Error).message}`, {
        problem: 'unusable_discovery_document',
        option: 'issuer',
      })
    }
  }

  /** Dex builds them all from its issuer; another host means that something rewrote them, or a split network. */
  #warnOfOtherHosts({ tokenEndpoint, jwksUri }: IssuerEndpoints): void {
    const { logger, describeHint } = this.#surroundings
    const { origin } = new URL(this.#options.issuer)
    for (const [option, url] of Object.entries({ tokenEndpoint, jwksUri })) {
      if (new URL(url).origin === origin) continue
      const hint = describeHint({ problem: 'other_host', option })
      logger.warn({ url, hint }, 'the discovery document names another host')
    }
  }
}

/** For the log only, to the letter, because that is what counts; what is no plain URL is not repeated. */
function plainUrlOf(issuer: unknown): string | undefined {
  return typeof issuer === 'string' && plainUrl.test(issuer) ? issuer : undefined
}

function unreachable(error: unknown, timedOut: boolean): BrokerError {
  return unavailable(
    timedOut ? 'the issuer did not answer in time' : 'the issuer could not be reached',
    networkFailureHint(networkFailureCode(error), 'issuer'),
    error,
  )
}

function unavailable(message: string, hint?: Hint, cause?: unknown): BrokerError {
  return new BrokerError('token_endpoint_unavailable', message, { transient: true, hint, cause })
}

function unusable(message: string, hint: Hint): BrokerError {
  return new BrokerError('invalid_token_response', message, { hint })
}
