import type { TokenOrder } from '../../clients/token-order.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import { asBrokerError } from '../../shared/as-broker-error.ts'
import { momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import { RequestWithDeadline } from '../../shared/request-with-deadline.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { AcceptedClients } from '../accepted-clients.ts'
import { logTokenFailure } from '../log-token-failure.ts'
import type { ObtainedToken, TokenOrigin } from '../token-origin.ts'
import { type Attempt, type CircuitClient, Circuits } from './circuits.ts'
import { ofConfigured } from './configured-client-failure.ts'
import type { RejectedCredentials } from './rejected-credentials.ts'
import { requestWithRetries } from './request-with-retries.ts'
import { type Applicant, Slots } from './slots.ts'
import { TokenEndpoint } from './token-endpoint.ts'
import { isUnavailable } from './upstream-status.ts'

/** Different tokens that wait for a slot or are being requested, at most. */
const maxWaiting = 4_096

export interface DexOriginOptions {
  /** Asked for each time; may have to wait for discovery. */
  readonly tokenEndpoint: () => MaybePromise<string>
  readonly authMethod: ClientAuthMethod
  /** The fields of the response to keep beside the token, by their JSON names. */
  readonly wantedFields: readonly string[]
  readonly rejected: RejectedCredentials
  readonly accepted: AcceptedClients
  /** The option that says where the token endpoint is. */
  readonly option: string
  /** Token requests at the same time. */
  readonly maxConnections: number
}

type OnFirstFailure = (failure: BrokerError) => void

/**
 * Tokens from a Dex. A request waits for its slot first, and that is our own affair; from the moment of sending it has one
 * deadline, retries included. Dex is not asked while it cannot answer.
 */
export class DexOrigin implements TokenOrigin {
  readonly #surroundings: Surroundings
  readonly #options: DexOriginOptions
  readonly #endpoint: TokenEndpoint
  readonly #slots: Slots
  readonly #circuits: Circuits

  constructor(surroundings: Surroundings, options: DexOriginOptions) {
    const { requestTimeoutMs } = surroundings
    const { authMethod, wantedFields, option, maxConnections } = options
    this.#surroundings = surroundings
    this.#options = options
    this.#endpoint = new TokenEndpoint(surroundings, { authMethod, wantedFields, option })
    this.#slots = new Slots({ max: maxConnections, maxWaiting, maxWaitMs: requestTimeoutMs })
    this.#circuits = new Circuits(surroundings)
  }

  rejection(order: TokenOrder): BrokerError | undefined {
    return this.#options.rejected.get(order)
  }

  async obtain(
    order: TokenOrder,
    signal: AbortSignal,
    onFirstFailure: OnFirstFailure,
  ): Promise<ObtainedToken> {
    const isAccepted = this.#options.accepted.has(order)
    const { clientId } = order.credentials
    const client: CircuitClient = { key: order.clientKey, clientId, isAccepted }
    // By its id alone a stranger is told apart from others: secrets can be made up.
    const applicant: Applicant = { client: isAccepted ? client.key : clientId, isAccepted }
    this.#assertMayTry(client)
    // Discovery has pauses and a log of its own: neither retries nor the circuit of the token endpoint are about it.
    const url = await this.#options.tokenEndpoint()
    const turn = this.#slots.enter(applicant, signal)
    if (turn !== undefined) {
      // Who has a living token does not stand in line.
      onFirstFailure(mustWait())
      await turn
    }
    return this.#request({ url, order, client, applicant, signal, onFirstFailure })
  }

  /** Begins in a slot. */
  async #request(call: {
    url: string
    order: TokenOrder
    client: CircuitClient
    applicant: Applicant
    signal: AbortSignal
    onFirstFailure: OnFirstFailure
  }): Promise<ObtainedToken> {
    const { url, order, client, applicant, signal, onFirstFailure } = call
    const { requestTimeoutMs, random } = this.#surroundings
    let isFirst = true
    const request = new RequestWithDeadline(requestTimeoutMs, deadline =>
      requestWithRetries(
        async () => {
          if (!isFirst) await this.#slots.enter(applicant, deadline)
          isFirst = false
          return this.#attempt(call, deadline)
        },
        {
          signal: deadline,
          random,
          onFailedAttempt: onFirstFailure,
          mayTryAgain: () => this.#circuits.retryAfterMs(client) === 0,
        },
      ),
    )
    const close = () => request.abort(signal.reason)
    signal.addEventListener('abort', close)
    try {
      const obtained = await request.settled
      this.#options.rejected.passed(order)
      return obtained
    } catch (error) {
      const failure = asBrokerError(error, 'the token request failed')
      this.#takeNote({ url, order, signal }, failure)
      throw failure
    } finally {
      signal.removeEventListener('abort', close)
    }
  }

  /** In a slot, which it gives back. */
  async #attempt(
    {
      url,
      order,
      client,
      applicant,
    }: { url: string; order: TokenOrder; client: CircuitClient; applicant: Applicant },
    signal: AbortSignal,
  ): Promise<ObtainedToken> {
    const { clock } = this.#surroundings
    const enteredAt = clock.monotonic()
    try {
      // A probe began earlier than this request, so it also ends before this one's deadline.
      let attempt = this.#circuits.begin(client)
      if (attempt === undefined) {
        await this.#circuits.probe(client)
        attempt = this.#circuits.begin(client)
      }
      if (attempt === undefined) throw circuitOpen(this.#circuits.retryAfterMs(client))
      return await this.#send(url, order, attempt, signal)
    } finally {
      this.#slots.leave(applicant, clock.monotonic() - enteredAt)
    }
  }

  async #send(url: string, order: TokenOrder, attempt: Attempt, signal: AbortSignal): Promise<ObtainedToken> {
    const { clock, observe, logger } = this.#surroundings
    const { credentials } = order
    const requestedAt = momentOf(clock)
    const durationMs = () => clock.monotonic() - requestedAt.monotonic
    try {
      const response = await this.#endpoint.request(url, credentials, signal)
      attempt.succeeded()
      observe({ type: 'token_request', outcome: 'issued', durationMs: durationMs() })
      logger.debug({ clientId: credentials.clientId, durationMs: Math.round(durationMs()) }, 'token issued')
      return { response, requestedAt }
    } catch (error) {
      const failure = ofConfigured(order, asBrokerError(error, 'the token request failed'))
      // The end of the broker tells nothing about Dex; what Dex judges, however it judges, is an answer.
      if (failure !== signal.reason) {
        if (isFailureOfDex(failure)) attempt.failed(failure)
        else attempt.succeeded()
      }
      observe({ type: 'token_request', outcome: failure.code, durationMs: durationMs() })
      throw failure
    }
  }

  /** Whoever would be refused anyway need not wait for a slot; while a probe is out it may be worth to wait. */
  #assertMayTry(client: CircuitClient): void {
    const retryAfterMs = this.#circuits.retryAfterMs(client)
    if (retryAfterMs > 0 && this.#circuits.probe(client) === undefined) throw circuitOpen(retryAfterMs)
  }

  #takeNote(
    { url, order, signal }: { url: string; order: TokenOrder; signal: AbortSignal },
    failure: BrokerError,
  ): void {
    if (isRejection(failure)) this.#options.rejected.add(order, failure)
    else if (isRefusalInFront(failure)) this.#options.rejected.addWhenRepeated(order, failure)
    // Not for those that the open circuit kept from Dex, nor for the end of the broker.
    if (failure.code !== 'overloaded' && failure !== signal.reason) {
      logTokenFailure(this.#surroundings, order, failure, url)
    }
  }
}

/** A refusal by what stands in front of Dex is an answer, and is not counted: a caller may have caused it by what they sent. */
function isFailureOfDex({ transient, upstreamStatus, oauthError }: BrokerError): boolean {
  if (!transient) return false
  return upstreamStatus === undefined || oauthError !== undefined || isUnavailable(upstreamStatus)
}

/** The next caller would hear the same, until somebody changes the credentials or the configuration. */
function isRejection({ code, transient }: BrokerError): boolean {
  return (
    code === 'token_request_rejected' ||
    code === 'client_misconfigured' ||
    (code === 'invalid_token_response' && !transient)
  )
}

/** It may be over with the next request, or be about what is in the request and stay. */
function isRefusalInFront(failure: BrokerError): boolean {
  return failure.transient && failure.upstreamStatus !== undefined && !isFailureOfDex(failure)
}

function mustWait(): BrokerError {
  return new BrokerError('overloaded', 'the token request waits for its turn', {
    retryAfterMs: 1000,
    transient: true,
  })
}

function circuitOpen(retryAfterMs: number): BrokerError {
  return new BrokerError('overloaded', 'the token endpoint is failing; the circuit is open', {
    retryAfterMs,
    transient: true,
  })
}
