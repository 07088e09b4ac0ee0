import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import { asBrokerError } from '../../shared/as-broker-error.ts'
import { momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { logTokenFailure } from '../log-token-failure.ts'
import type { ObtainedToken, TokenOrigin } from '../token-origin.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import type { RejectedCredentials } from './rejected-credentials.ts'
import { requestWithRetries } from './request-with-retries.ts'
import { TokenEndpoint } from './token-endpoint.ts'

/** Different tokens that may be requested at the same time: Dex signs each one. */
const maxRequestsUnderWay = 256

export interface DexOriginOptions {
  /** Asked for each time; may have to wait for discovery. */
  readonly tokenEndpoint: () => MaybePromise<string>
  readonly authMethod: ClientAuthMethod
  /** The fields of the response to keep beside the token, by their JSON names. */
  readonly wantedFields: readonly string[]
  readonly rejected: RejectedCredentials
}

/** Tokens from a Dex: retried within the one deadline that the signal brings, and not asked for while Dex cannot answer. */
export class DexOrigin implements TokenOrigin {
  readonly #surroundings: Surroundings
  readonly #tokenEndpoint: () => MaybePromise<string>
  readonly #endpoint: TokenEndpoint
  readonly #breaker: CircuitBreaker
  readonly #rejected: RejectedCredentials
  #underWay = 0

  constructor(surroundings: Surroundings, options: DexOriginOptions) {
    const { tokenEndpoint, authMethod, wantedFields, rejected } = options
    const { transport, clock } = surroundings
    this.#surroundings = surroundings
    this.#tokenEndpoint = tokenEndpoint
    this.#endpoint = new TokenEndpoint({ authMethod, transport, clock, wantedFields })
    this.#breaker = new CircuitBreaker(clock)
    this.#rejected = rejected
  }

  rejection(order: TokenOrder): BrokerError | undefined {
    return this.#rejected.get(order)
  }

  async obtain(
    order: TokenOrder,
    signal: AbortSignal,
    onFirstFailure: (failure: BrokerError) => void,
  ): Promise<ObtainedToken> {
    if (this.#underWay >= maxRequestsUnderWay) throw tooManyRequests()
    this.#underWay++
    try {
      // Discovery has pauses and a log of its own: neither retries nor the circuit of the token endpoint are about it.
      const url = await this.#tokenEndpoint()
      return await this.#request(url, order, signal, onFirstFailure)
    } finally {
      this.#underWay--
    }
  }

  async #request(
    url: string,
    order: TokenOrder,
    signal: AbortSignal,
    onFirstFailure: (failure: BrokerError) => void,
  ): Promise<ObtainedToken> {
    try {
      return await requestWithRetries(() => this.#attempt(url, order.credentials, signal), {
        signal,
        random: this.#surroundings.random,
        onFailedAttempt: onFirstFailure,
        mayTryAgain: () => this.#breaker.retryAfterMs === 0,
      })
    } catch (error) {
      const failure = asBrokerError(error, 'the token request failed')
      if (isRejection(failure)) this.#rejected.add(order, failure)
      // Not for those that the open circuit kept from Dex, nor for the end of the broker.
      if (failure.code !== 'overloaded' && failure !== signal.reason) {
        logTokenFailure(this.#surroundings, order, failure)
      }
      throw failure
    }
  }

  async #attempt(url: string, credentials: ClientCredentials, signal: AbortSignal): Promise<ObtainedToken> {
    const { clock, observe, logger } = this.#surroundings
    const breaker = this.#breaker
    if (!breaker.allows()) {
      // A probe began earlier than this request, so it also ends before this one's deadline.
      await breaker.probe
      if (!breaker.allows()) throw circuitOpen(breaker.retryAfterMs)
    }
    const { period } = breaker
    const requestedAt = momentOf(clock)
    const durationMs = () => clock.monotonic() - requestedAt.monotonic
    try {
      const response = await this.#endpoint.request(url, credentials, signal)
      if (breaker.succeeded()) logger.info({}, 'the token endpoint answers again')
      observe({ type: 'token_request', outcome: 'issued', durationMs: durationMs() })
      logger.debug({ clientId: credentials.clientId, durationMs: durationMs() }, 'token issued')
      return { response, requestedAt }
    } catch (error) {
      const failure = asBrokerError(error, 'the token request failed')
      if (failure !== signal.reason) this.#tellBreaker(failure, period)
      observe({ type: 'token_request', outcome: failure.code, durationMs: durationMs() })
      throw failure
    }
  }

  #tellBreaker(failure: BrokerError, period: number): void {
    const breaker = this.#breaker
    if (!failure.transient) breaker.succeeded()
    else if (breaker.failed(failure.retryAfterMs, period)) {
      this.#surroundings.logger.warn(
        { retryAfterMs: breaker.retryAfterMs },
        'the token endpoint fails: it is left alone for a while',
      )
    }
  }
}

/** The next caller would hear the same, until somebody changes the credentials or the configuration. */
function isRejection({ code, transient }: BrokerError): boolean {
  return code === 'token_request_rejected' || (code === 'invalid_token_response' && !transient)
}

function tooManyRequests(): BrokerError {
  return new BrokerError('overloaded', 'too many tokens are being requested', {
    retryAfterMs: 1000,
    transient: true,
  })
}

function circuitOpen(retryAfterMs: number): BrokerError {
  return new BrokerError('overloaded', 'the token endpoint fails, and is left alone for a while', {
    retryAfterMs,
    transient: true,
  })
}
