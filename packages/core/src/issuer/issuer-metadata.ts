import { asBrokerError } from '../shared/as-broker-error.ts'
import { brokerClosed } from '../shared/broker-closed.ts'
import { BrokerError } from '../shared/errors.ts'
import { failureFields } from '../shared/failure-fields.ts'
import type { Hint } from '../shared/hint.ts'
import { callUpstream } from '../shared/http/call-upstream.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { type FetchedDocument, getDocument } from '../shared/http/get-document.ts'
import { parseJsonObject } from '../shared/http/parse-json-object.ts'
import { shownUrl } from '../shared/http/shown-url.ts'
import { isUnavailable, problemOfStatus } from '../shared/http/upstream-status.ts'
import { SharedFetch } from '../shared/shared-fetch.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { Topic } from '../shared/topic.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { DocumentStatus } from '../status/issuer-status.ts'
import { type MtlsEndpoint, mtlsEndpointIn } from './mtls-endpoint-in.ts'
import { plainUrlOf } from './plain-url-of.ts'

/** The document of Dex has 1.3 KiB. */
const maxDocumentBytes = 64 * 1024

/** The parts of a discovery document that can be an endpoint for the broker. */
export type EndpointName = 'tokenEndpoint' | 'jwksUri'

export interface IssuerMetadataOptions {
  /** Compared exactly with `issuer` in the document; `undefined` takes the one in the document. */
  readonly issuer: string | undefined
  readonly url: string
  /** The option from which the document is found, for hints. */
  readonly option: string
  /** The option with the expected issuer, for hints. */
  readonly issuerOption: string
  /** The endpoints that are needed. The document may lack the others. */
  readonly needs: readonly EndpointName[]
  /** Whether tokens come from it, so that it is Dex. */
  readonly isTokenSource: boolean
  readonly allowInsecureUrls: boolean
}

/** The parts of a discovery document that the broker uses; an endpoint is `undefined` when it is not needed. */
export interface DiscoveryDocument extends Readonly<Partial<Record<EndpointName, string>>>, MtlsEndpoint {
  readonly issuer: string
}

const fieldOf = { tokenEndpoint: 'token_endpoint', jwksUri: 'jwks_uri' } as const
/** No real issuer is longer. */
const maxIssuerLength = 1_024

/**
 * The discovery document of an issuer. It is loaded when it is first needed, shared by all callers and kept for good. A
 * failed load is repeated after a pause.
 */
export class IssuerMetadata {
  /** Publishes the issuer when the document is loaded. */
  readonly learned: Topic<string> = new Topic()
  readonly #surroundings: Surroundings
  readonly #options: IssuerMetadataOptions
  readonly #fetch: SharedFetch<DiscoveryDocument>
  #document: DiscoveryDocument | undefined
  #startedAt = 0
  #loadedAt: number | undefined

  constructor(surroundings: Surroundings, options: IssuerMetadataOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#fetch = new SharedFetch(surroundings, {
      load: (signal, attempt, parent) => this.#load(signal, attempt, parent),
      asFailure: error => asBrokerError(error, 'discovery failed internally'),
      onFailure: failure => this.#noteFailure(failure),
      // Short, because nothing works without the document.
      pauses: { firstMs: 1_000, maxMs: 4_000 },
    })
  }

  /** The document, once it is loaded. */
  get document(): DiscoveryDocument | undefined {
    return this.#document
  }

  /** The issuer: the expected one, or the one in the document; `undefined` until that is loaded. */
  get issuer(): string | undefined {
    return this.#options.issuer ?? this.#document?.issuer
  }

  /** Loads the document, unless it is loaded. `parent`: of the span of a new request. */
  load(parent?: SpanContext): Promise<DiscoveryDocument> {
    return this.#document === undefined ? this.#fetch.get(parent) : Promise.resolve(this.#document)
  }

  status(): DocumentStatus {
    return { ...this.#fetch.status(), url: shownUrl(this.#options.url), loadedAt: this.#loadedAt }
  }

  /** Ends the pause after a failure. */
  endPause(): void {
    this.#fetch.endPause()
  }

  close(): void {
    this.#fetch.close(brokerClosed('token_endpoint_unavailable'))
  }

  async #load(
    signal: AbortSignal,
    attempt: number,
    parent: SpanContext | undefined,
  ): Promise<DiscoveryDocument> {
    const { clock, logger } = this.#surroundings
    this.#startedAt = clock.monotonic()
    const loadedAt = clock.wall()
    const document = await this.#request(signal, attempt, parent)
    this.#document = document
    this.#loadedAt = loadedAt
    const outage = this.#fetch.recovered()
    const { issuer, tokenEndpoint, jwksUri } = document
    logger.info(
      { issuer, tokenEndpoint, jwksUri, ...outage },
      outage === undefined ? 'issuer discovered' : 'issuer discovered after failures',
    )
    if (this.#options.isTokenSource) this.#warnOfOtherHosts(document)
    this.#observe('discovered')
    this.learned.publish(document.issuer)
    return document
  }

  #noteFailure(failure: BrokerError): void {
    const { issuer, url } = this.#options
    this.#observe('failed')
    this.#surroundings.logger.error(
      { issuer: issuer ?? url, ...failureFields(failure, this.#surroundings) },
      `issuer discovery failed: ${failure.message}`,
    )
  }

  #observe(outcome: 'discovered' | 'failed'): void {
    const { observe, clock } = this.#surroundings
    observe({ type: 'discovery', outcome, durationMs: clock.monotonic() - this.#startedAt })
  }

  #request(
    signal: AbortSignal,
    attempt: number,
    parent: SpanContext | undefined,
  ): Promise<DiscoveryDocument> {
    const { transport, userAgent, tracer, requestTimeoutMs: timeoutMs } = this.#surroundings
    const { url, option } = this.#options
    return callUpstream({
      url,
      attempt,
      timeoutMs,
      signal,
      upstream: 'the issuer',
      option,
      unavailable: 'token_endpoint_unavailable',
      tracer,
      span: { name: 'discovery', method: 'GET', parent },
      send: () =>
        getDocument(url, {
          transport,
          userAgent,
          accept: 'application/json',
          signal,
          maxBytes: maxDocumentBytes,
        }),
      judge: answer => this.#documentIn(answer),
    })
  }

  #documentIn({ status, body, unknownCoding }: FetchedDocument): DiscoveryDocument {
    const { issuer: expected, url, option, issuerOption, isTokenSource } = this.#options
    if (isUnavailable(status)) {
      const hint = { problem: problemOfStatus(status), option, detail: String(status) }
      throw unavailable(`the issuer answered discovery with status ${status}`, hint, status)
    }
    const document = status === 200 && body !== undefined ? parseJsonObject(body) : undefined
    if (document === undefined && unknownCoding !== undefined) {
      const hint = { problem: 'encoded', option, detail: unknownCoding } as const
      throw unusable(`the discovery document is unreadable (status ${status})`, hint, status)
    }
    if (document === undefined) {
      const hint = { problem: 'no_discovery_document', option, detail: url } as const
      throw unusable(`there is no discovery document (status ${status})`, hint, status)
    }
    const { issuer } = document
    if (!isIssuer(issuer) || (expected !== undefined && issuer !== expected)) {
      throw unusable(
        expected === undefined
          ? 'the discovery document names no issuer'
          : 'the discovery document names another issuer',
        { problem: 'other_issuer', option: issuerOption, detail: plainUrlOf(issuer) },
      )
    }
    if (isTokenSource) this.#warnOfMissingGrant(document['grant_types_supported'])
    return {
      issuer,
      ...this.#endpointsIn(document),
      ...mtlsEndpointIn(document, this.#options.allowInsecureUrls),
    }
  }

  #endpointsIn(document: Record<string, unknown>): Partial<Record<EndpointName, string>> {
    const { needs, allowInsecureUrls, option } = this.#options
    try {
      return Object.fromEntries(
        needs.map(name => [name, endpointUrl(document[fieldOf[name]], fieldOf[name], allowInsecureUrls)]),
      )
    } catch (error) {
      throw unusable(`the discovery document is unusable: ${(error as Error).message}`, {
        problem: 'unusable_discovery_document',
        option,
      })
    }
  }

  /** Warns before the first token request. A document without `grant_types_supported` is not a reason for a warning. */
  #warnOfMissingGrant(grants: unknown): void {
    if (!Array.isArray(grants) || grants.includes('client_credentials')) return
    const { logger, describeHint } = this.#surroundings
    const { issuer, url, option } = this.#options
    const hint = describeHint({ problem: 'grant_not_listed', option })
    logger.warn({ issuer: issuer ?? url, hint }, 'issuer does not list the client_credentials grant')
  }

  /** Dex derives all endpoints from its issuer. Another host means a rewritten document or a split network. */
  #warnOfOtherHosts(document: DiscoveryDocument): void {
    const { logger, describeHint } = this.#surroundings
    const { url: from, option, needs } = this.#options
    const { origin } = new URL(from)
    for (const name of needs) {
      const url = document[name]
      if (url === undefined || new URL(url).origin === origin) continue
      // `issuer` and `issuers.dex.issuer` have their endpoints beside them.
      const hint = describeHint({ problem: 'other_host', option: option.replace(/[^.]+$/, name) })
      logger.warn({ url, hint }, 'discovery document names another host')
    }
  }
}

function isIssuer(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxIssuerLength
}

function unavailable(message: string, hint: Hint, upstreamStatus: number): BrokerError {
  return new BrokerError('token_endpoint_unavailable', message, { transient: true, hint, upstreamStatus })
}

function unusable(message: string, hint: Hint, upstreamStatus?: number): BrokerError {
  return new BrokerError('invalid_token_response', message, { hint, upstreamStatus })
}
