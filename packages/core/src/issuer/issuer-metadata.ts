import { asBrokerError } from '../shared/as-broker-error.ts'
import { brokerClosed } from '../shared/broker-closed.ts'
import { BrokerError } from '../shared/errors.ts'
import { failureFields } from '../shared/failure-fields.ts'
import type { Hint } from '../shared/hint.ts'
import { callUpstream } from '../shared/http/call-upstream.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { type FetchedDocument, getDocument } from '../shared/http/get-document.ts'
import { parseJsonObject } from '../shared/http/parse-json-object.ts'
import { isUnavailable, problemOfStatus } from '../shared/http/upstream-status.ts'
import { SharedFetch } from '../shared/shared-fetch.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/** The document of Dex has 1.3 KiB. */
const maxDocumentBytes = 64 * 1024

/** A URL without user information and query, which could contain a secret. */
const plainUrl = /^https?:\/\/[\w.~%:[\]/-]{1,300}$/i

export interface IssuerMetadataOptions {
  /** Compared exactly with `issuer` in the document. */
  readonly issuer: string
  readonly allowInsecureUrls: boolean
}

/** The endpoints in a discovery document. */
export interface IssuerEndpoints {
  readonly tokenEndpoint: string
  readonly jwksUri: string
}

/** The URL of an issuer's discovery document (OpenID Connect Discovery section 4). */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * The discovery document of an issuer. It is loaded when it is first needed, shared by all callers and kept for good. A
 * failed load is repeated after a pause.
 */
export class IssuerMetadata {
  readonly #surroundings: Surroundings
  readonly #options: IssuerMetadataOptions
  readonly #fetch: SharedFetch<IssuerEndpoints>
  #endpoints: IssuerEndpoints | undefined
  #startedAt = 0

  constructor(surroundings: Surroundings, options: IssuerMetadataOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#fetch = new SharedFetch(surroundings, {
      load: (signal, attempt) => this.#load(signal, attempt),
      asFailure: error => asBrokerError(error, 'discovery failed internally'),
      onFailure: failure => this.#noteFailure(failure),
      // Short, because nothing works without the document.
      pauses: { firstMs: 1_000, maxMs: 4_000 },
    })
  }

  /** The endpoints, once they are discovered. */
  get endpoints(): IssuerEndpoints | undefined {
    return this.#endpoints
  }

  load(): Promise<IssuerEndpoints> {
    return this.#endpoints === undefined ? this.#fetch.get() : Promise.resolve(this.#endpoints)
  }

  close(): void {
    this.#fetch.close(brokerClosed('token_endpoint_unavailable'))
  }

  async #load(signal: AbortSignal, attempt: number): Promise<IssuerEndpoints> {
    const { issuer } = this.#options
    const { clock, logger } = this.#surroundings
    this.#startedAt = clock.monotonic()
    const endpoints = await this.#document(signal, attempt)
    this.#endpoints = endpoints
    const outage = this.#fetch.recovered()
    logger.info(
      { issuer, ...endpoints, ...outage },
      outage === undefined ? 'issuer discovered' : 'issuer discovered after failures',
    )
    this.#warnOfOtherHosts(endpoints)
    this.#observe('discovered')
    return endpoints
  }

  #noteFailure(failure: BrokerError): void {
    const { issuer } = this.#options
    this.#observe('failed')
    this.#surroundings.logger.error(
      { issuer, ...failureFields(failure, this.#surroundings) },
      `issuer discovery failed: ${failure.message}`,
    )
  }

  #observe(outcome: 'discovered' | 'failed'): void {
    const { observe, clock } = this.#surroundings
    observe({ type: 'discovery', outcome, durationMs: clock.monotonic() - this.#startedAt })
  }

  #document(signal: AbortSignal, attempt: number): Promise<IssuerEndpoints> {
    const { transport, userAgent, requestTimeoutMs: timeoutMs } = this.#surroundings
    const url = discoveryUrl(this.#options.issuer)
    return callUpstream({
      url,
      attempt,
      timeoutMs,
      signal,
      upstream: 'the issuer',
      option: 'issuer',
      unavailable: 'token_endpoint_unavailable',
      send: () =>
        getDocument(url, {
          transport,
          userAgent,
          accept: 'application/json',
          signal,
          maxBytes: maxDocumentBytes,
        }),
      judge: answer => this.#endpointsIn(answer, url),
    })
  }

  #endpointsIn({ status, body, unknownCoding }: FetchedDocument, url: string): IssuerEndpoints {
    const { issuer, allowInsecureUrls } = this.#options
    if (isUnavailable(status)) {
      const hint = { problem: problemOfStatus(status), option: 'issuer', detail: String(status) }
      throw unavailable(`the issuer answered discovery with status ${status}`, hint)
    }
    const document = status === 200 && body !== undefined ? parseJsonObject(body) : undefined
    if (document === undefined && unknownCoding !== undefined) {
      const hint = { problem: 'encoded', option: 'issuer', detail: unknownCoding } as const
      throw unusable(`the discovery document is unreadable (status ${status})`, hint)
    }
    if (document === undefined) {
      throw unusable(`there is no discovery document (status ${status})`, {
        problem: 'no_discovery_document',
        option: 'issuer',
        detail: url,
      })
    }
    if (document['issuer'] !== issuer) {
      throw unusable('the discovery document names another issuer', {
        problem: 'other_issuer',
        option: 'issuer',
        detail: plainUrlOf(document['issuer']),
      })
    }
    this.#warnOfMissingGrant(document['grant_types_supported'])
    try {
      return {
        tokenEndpoint: endpointUrl(document['token_endpoint'], 'token_endpoint', allowInsecureUrls),
        jwksUri: endpointUrl(document['jwks_uri'], 'jwks_uri', allowInsecureUrls),
      }
    } catch (error) {
      throw unusable(`the discovery document is unusable: ${(error as Error).message}`, {
        problem: 'unusable_discovery_document',
        option: 'issuer',
      })
    }
  }

  /** Warns before the first token request. A document without `grant_types_supported` is not a reason for a warning. */
  #warnOfMissingGrant(grants: unknown): void {
    if (!Array.isArray(grants) || grants.includes('client_credentials')) return
    const { logger, describeHint } = this.#surroundings
    const hint = describeHint({ problem: 'grant_not_listed', option: 'issuer' })
    logger.warn({ issuer: this.#options.issuer, hint }, 'issuer does not list the client_credentials grant')
  }

  /** Dex derives all endpoints from its issuer. Another host means a rewritten document or a split network. */
  #warnOfOtherHosts({ tokenEndpoint, jwksUri }: IssuerEndpoints): void {
    const { logger, describeHint } = this.#surroundings
    const { origin } = new URL(this.#options.issuer)
    for (const [option, url] of Object.entries({ tokenEndpoint, jwksUri })) {
      if (new URL(url).origin === origin) continue
      const hint = describeHint({ problem: 'other_host', option })
      logger.warn({ url, hint }, 'discovery document names another host')
    }
  }
}

/** Returns a plain URL verbatim, for the log, because issuers are compared exactly; `undefined` for any other value. */
function plainUrlOf(issuer: unknown): string | undefined {
  return typeof issuer === 'string' && plainUrl.test(issuer) ? issuer : undefined
}

function unavailable(message: string, hint: Hint): BrokerError {
  return new BrokerError('token_endpoint_unavailable', message, { transient: true, hint })
}

function unusable(message: string, hint: Hint): BrokerError {
  return new BrokerError('invalid_token_response', message, { hint })
}
