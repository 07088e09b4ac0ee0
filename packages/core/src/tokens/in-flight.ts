import type { ClientCredentials } from '../clients/client-credentials.ts'
import type { RequestedToken } from '../clients/requested-tokens.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import { type Clock, type Moment, momentOf } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import { networkFailureCode } from '../shared/http/network-failure.ts'
import type { Logger } from '../shared/logger.ts'
import { RequestWithDeadline } from '../shared/request-with-deadline.ts'
import type { CircuitBreaker } from './dex/circuit-breaker.ts'
import { requestWithRetries } from './dex/request-with-retries.ts'
import type { TokenEndpoint } from './dex/token-endpoint.ts'
import type { TokenResponse } from './dex/token-response.ts'

/** Different tokens that may be requested at the same time: Dex signs each one. */
const maxRequestsInFlight = 256

/** A good answer, and the moment before its request was sent: the network's time is part of a token's life. */
export interface TokenAnswer {
  readonly response: TokenResponse
  readonly requestedAt: Moment
}

/** A request that is under way for everybody who wants the same token. */
export interface SharedTokenRequest<Token> {
  /** The token, or why there is none, retries included. */
  readonly settled: Promise<Token>
  /** The same, but for the first attempt alone. */
  readonly firstAttempt: Promise<Token>
  /** How many wait; kept by those who wait. */
  waiters: number
}

export interface TokenRequestsOptions<Token> {
  readonly endpoint: TokenEndpoint
  readonly breaker: CircuitBreaker
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly observe: BrokerObserver
  readonly requestTimeoutMs: number
  /** Makes the token of a good answer, before anybody hears of it. */
  readonly onAnswer: (requested: RequestedToken, answer: TokenAnswer) => Token
  /** Told of a request that failed for good, before anybody hears of it; `wasSent` unless it was not known where to. */
  readonly onFailure: (requested: RequestedToken, failure: BrokerError, wasSent: boolean) => void
}

/**
 * The requests to Dex that are under way, at most one for each token. They belong to no caller, are retried within one
 * deadline, and keep away from a Dex that cannot answer.
 */
export class TokenRequests<Token> {
  readonly #options: TokenRequestsOptions<Token>
  readonly #inFlight = new Map<string, SharedTokenRequest<Token> & { abort(reason: Error): void }>()
  #closed = false

  constructor(options: TokenRequestsOptions<Token>) {
    this.#options = options
  }

  isUnderWay({ key }: RequestedToken): boolean {
    return this.#inFlight.has(key)
  }

  /** The request that is under way for a token, else a new one; `undefined` when there are too many. */
  join(requested: RequestedToken): SharedTokenRequest<Token> | undefined {
    return this.#inFlight.get(requested.key) ?? this.#start(requested)
  }

  close(reason: BrokerError): void {
    this.#closed = true
    for (const request of this.#inFlight.values()) request.abort(reason)
  }

  #start(requested: RequestedToken): SharedTokenRequest<Token> | undefined {
    if (this.#inFlight.size >= maxRequestsInFlight) return undefined
    const firstAttempt = Promise.withResolvers<Token>()
    // Most callers wait for `settled` only.
    firstAttempt.promise.catch(() => {})
    const request = new RequestWithDeadline(this.#options.requestTimeoutMs, signal =>
      this.#request(requested, signal, firstAttempt.reject).finally(() =>
        this.#inFlight.delete(requested.key),
      ),
    )
    request.settled.then(firstAttempt.resolve, firstAttempt.reject)
    const shared = {
      settled: request.settled,
      firstAttempt: firstAttempt.promise,
      waiters: 0,
      abort: (reason: Error) => request.abort(reason),
    }
    this.#inFlight.set(requested.key, shared)
    return shared
  }

  async #request(
    requested: RequestedToken,
    signal: AbortSignal,
    onFailedAttempt: (error: unknown) => void,
  ): Promise<Token> {
    const { breaker, random, onAnswer, onFailure } = this.#options
    const { credentials } = requested
    const url = await this.#url(requested)
    try {
      const answer = await requestWithRetries(() => this.#attempt(url, credentials, signal), {
        signal,
        random,
        onFailedAttempt,
        mayTryAgain: () => breaker.retryAfterMs === 0,
      })
      return onAnswer(requested, answer)
    } catch (error) {
      const failure = asBrokerError(error)
      onFailure(requested, failure, true)
      if (!this.#closed) this.#log(failure, credentials)
      throw failure
    }
  }

  /** Discovery has pauses and a log of its own: neither retries nor the circuit of the token endpoint are about it. */
  async #url(requested: RequestedToken): Promise<string> {
    const { endpoint, onFailure } = this.#options
    try {
      return await endpoint.url()
    } catch (error) {
      const failure = asBrokerError(error)
      onFailure(requested, failure, false)
      throw failure
    }
  }

  async #attempt(url: string, credentials: ClientCredentials, signal: AbortSignal): Promise<TokenAnswer> {
    const { endpoint, breaker, clock, observe, logger } = this.#options
    if (!breaker.allows()) {
      // A probe began earlier than this request, so it also ends before this one's deadline.
      await breaker.probe
      if (!breaker.allows()) throw circuitOpen(breaker.retryAfterMs)
    }
    const { period } = breaker
    const requestedAt = momentOf(clock)
    const durationMs = () => clock.monotonic() - requestedAt.monotonic
    try {
      const response = await endpoint.request(url, credentials, signal)
      if (breaker.succeeded()) logger.info({}, 'the token endpoint answers again')
      observe({ type: 'token_request', outcome: 'issued', durationMs: durationMs() })
      logger.debug({ clientId: credentials.clientId, durationMs: durationMs() }, 'token issued')
      return { response, requestedAt }
    } catch (error) {
      const failure = asBrokerError(error)
      this.#tellBreaker(failure, period)
      observe({ type: 'token_request', outcome: failure.code, durationMs: durationMs() })
      throw failure
    }
  }

  #tellBreaker(failure: BrokerError, period: number): void {
    const { breaker, logger } = this.#options
    if (this.#closed) return
    if (!failure.transient) breaker.succeeded()
    else if (breaker.failed(failure.retryAfterMs, period)) {
      logger.warn(
        { retryAfterMs: breaker.retryAfterMs },
        'the token endpoint fails: it is left alone for a while',
      )
    }
  }

  // Once for each request, never for each caller; and not for those that the open circuit kept from Dex.
  #log(failure: BrokerError, { clientId, scope, configured }: ClientCredentials): void {
    const { logger } = this.#options
    const { code, oauthError, cause } = failure
    if (code === 'overloaded') return
    const rejected = code === 'token_request_rejected'
    const hint =
      rejected && configured && oauthError !== 'invalid_scope'
        ? 'the configured client credentials are wrong: look at STATIC_CLIENT_ID and STATIC_CLIENT_SECRET'
        : failure.hint
    const fields = { code, clientId, scope, oauthError, hint, cause: networkFailureCode(cause) }
    const message = `token request failed: ${failure.message}`
    if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
    else if (rejected && !configured) logger.warn(fields, message)
    else logger.error(fields, message)
  }
}

function asBrokerError(error: unknown): BrokerError {
  if (BrokerError.is(error)) return error
  return new BrokerError('server_error', 'the token request failed', { cause: error })
}

function circuitOpen(retryAfterMs: number): BrokerError {
  return new BrokerError('overloaded', 'the token endpoint fails, and is left alone for a while', {
    retryAfterMs,
    transient: true,
  })
}
