import type { Clock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { getDocument } from '../shared/http/get-document.ts'
import { networkFailureCode, networkFailureHint } from '../shared/http/network-failure.ts'
import { parseJsonObject } from '../shared/http/parse-json-object.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { Logger } from '../shared/logger.ts'
import { RequestWithDeadline } from '../shared/request-with-deadline.ts'

/** Dex's document is 1.3 KiB. */
const maxDocumentBytes = 64 * 1024
/** Short, because nothing works before it is there. */
const firstRetryMs = 1_000
const maxRetryMs = 4_000
/** Without user information and query, where a secret could be. */
const plainUrl = /^https?:\/\/[\w.~%:[\]/-]{1,300}$/i

export interface IssuerMetadataOptions {
  /** Compared exactly with what the document says. */
  readonly issuer: string
  readonly allowInsecureUrls: boolean
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly requestTimeoutMs: number
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
  readonly #options: IssuerMetadataOptions
  #endpoints: IssuerEndpoints | undefined
  #request: RequestWithDeadline<IssuerEndpoints> | undefined
  #failures = 0
  #nextTryAt = Number.NEGATIVE_INFINITY
  #lastFailure: BrokerError | undefined
  #closedBecause: Error | undefined

  constructor(options: IssuerMetadataOptions) {
    this.#options = options
  }

  /** What is known already. */
  get endpoints(): IssuerEndpoints | undefined {
    return this.#endpoints
  }

  load(): Promise<IssuerEndpoints> {
    if (this.#endpoints !== undefined) return Promise.resolve(this.#endpoints)
    if (this.#closedBecause !== undefined) return Promise.reject(this.#closedBecause)
    if (this.#request !== undefined) return this.#request.settled
    const pauseMs = this.#nextTryAt - this.#options.clock.monotonic()
    if (this.#lastFailure !== undefined && pauseMs > 0) {
      return Promise.reject(failedBefore(this.#lastFailure, pauseMs))
    }
    this.#request = new RequestWithDeadline(this.#options.requestTimeoutMs, signal =>
      this.#fetch(signal).finally(() => {
        this.#request = undefined
      }),
    )
    return this.#request.settled
  }

  close(reason: Error): void {
    this.#closedBecause = reason
    this.#request?.abort(reason)
  }

  async #fetch(signal: AbortSignal): Promise<IssuerEndpoints> {
    const { issuer, logger, clock } = this.#options
    try {
      const endpoints = await this.#document(signal)
      this.#endpoints = endpoints
      logger.info({ issuer, ...endpoints }, 'issuer discovered')
      this.#warnOfOtherHosts(endpoints)
      return endpoints
    } catch (error) {
      if (BrokerError.is(signal.reason)) throw signal.reason
      const failure = BrokerError.is(error) ? error : unreachable(error, signal.aborted)
      this.#nextTryAt = clock.monotonic() + Math.min(firstRetryMs * 2 ** this.#failures++, maxRetryMs)
      this.#lastFailure = failure
      const { hint, cause } = failure
      logger.error(
        { issuer, hint, cause: networkFailureCode(cause) },
        `issuer not discovered: ${failure.message}`,
      )
      throw failure
    }
  }

  async #document(signal: AbortSignal): Promise<IssuerEndpoints> {
    const { issuer, transport, allowInsecureUrls } = this.#options
    const { status, body } = await getDocument(discoveryUrl(issuer), {
      transport,
      signal,
      maxBytes: maxDocumentBytes,
    })
    if (status >= 500) throw unavailable(`the discovery document was answered with status ${status}`)
    const document = status === 200 && body !== undefined ? parseJsonObject(body) : undefined
    if (document === undefined) {
      throw unusable(
        `there is no discovery document (status ${status})`,
        `DEX_ISSUER is wrong, or something else than Dex answers at ${discoveryUrl(issuer)}`,
      )
    }
    if (document['issuer'] !== issuer) {
      throw unusable(
        'the discovery document is that of another issuer',
        `DEX_ISSUER must be exactly the issuer in Dex's configuration${namedIssuer(document['issuer'])}; where it is not reachable, set DEX_TOKEN_URL and JWKS_URL`,
      )
    }
    try {
      return {
        tokenEndpoint: endpointUrl(document['token_endpoint'], 'token_endpoint', allowInsecureUrls),
        jwksUri: endpointUrl(document['jwks_uri'], 'jwks_uri', allowInsecureUrls),
      }
    } catch (error) {
      throw unusable(
        `the discovery document is not usable: ${(error as Error).message}`,
        'set DEX_TOKEN_URL and JWKS_URL, or ALLOW_INSECURE_DEX_URL for plain http',
      )
    }
  }

  /** Dex builds them all from its issuer; another host means that something rewrote them, or a split network. */
  #warnOfOtherHosts({ tokenEndpoint, jwksUri }: IssuerEndpoints): void {
    const { issuer, logger } = this.#options
    const variables = { DEX_TOKEN_URL: tokenEndpoint, JWKS_URL: jwksUri }
    for (const [variable, url] of Object.entries(variables)) {
      if (new URL(url).origin === new URL(issuer).origin) continue
      logger.warn(
        { url },
        `the discovery document names another host; set ${variable} if it cannot be reached from here`,
      )
    }
  }
}

/** For the log only, to the letter, because that is what counts; what is no plain URL is not repeated. */
function namedIssuer(issuer: unknown): string {
  return typeof issuer === 'string' && plainUrl.test(issuer) ? `, which says ${issuer}` : ''
}

/** The answer while the next try is not due. */
function failedBefore({ code, message, transient }: BrokerError, retryAfterMs: number): BrokerError {
  return new BrokerError(code, message, { transient, retryAfterMs })
}

function unreachable(error: unknown, timedOut: boolean): BrokerError {
  return unavailable(
    timedOut ? 'the issuer did not answer in time' : 'the issuer could not be reached',
    networkFailureHint(networkFailureCode(error), 'DEX_ISSUER'),
    error,
  )
}

function unavailable(message: string, hint?: string, cause?: unknown): BrokerError {
  return new BrokerError('token_endpoint_unavailable', message, { transient: true, hint, cause })
}

function unusable(message: string, hint: string): BrokerError {
  return new BrokerError('invalid_token_response', message, { hint })
}
