import type { LoadStatus } from '../status/issuer-status.ts'
import { Backoff, type Pauses } from './backoff.ts'
import { changedError } from './changed-error.ts'
import { wallTimeIn } from './clock.ts'
import type { BrokerError } from './errors.ts'
import { logContext } from './log-context.ts'
import { loggedRefusal } from './logged-refusals.ts'
import { countFailedLookups, Outage, type OutageReport } from './outage.ts'
import { RequestWithDeadline } from './request-with-deadline.ts'
import type { Surroundings } from './surroundings.ts'
import type { SpanContext } from './tracer.ts'

export interface SharedFetchOptions<T> {
  /** Loads the document and stores it, before waiters see it. `attempt`: the number since the last success, from 1. */
  readonly load: (signal: AbortSignal, attempt: number, parent: SpanContext | undefined) => Promise<T>
  /** Turns any error of `load` into a `BrokerError`. */
  readonly asFailure: (error: unknown) => BrokerError
  /** Receives each failed load, before waiters see it. */
  readonly onFailure: (failure: BrokerError) => void
  readonly pauses: Pauses
}

/**
 * A document that many callers wait for. One request loads it at a time, belongs to no caller and ends at its own
 * deadline. After a failure no request starts before the pause is over.
 */
export class SharedFetch<T> {
  readonly #options: SharedFetchOptions<T>
  readonly #surroundings: Surroundings
  readonly #backoff: Backoff
  readonly #outage: Outage
  /** Lookups that timed out while the current request was under way. */
  #timedOutLookups = 0
  #request: RequestWithDeadline<T> | undefined
  #lastFailure: BrokerError | undefined
  #closedBecause: BrokerError | undefined

  constructor(surroundings: Surroundings, options: SharedFetchOptions<T>) {
    const { clock } = surroundings
    this.#options = options
    this.#surroundings = surroundings
    this.#backoff = new Backoff(options.pauses, clock)
    this.#outage = new Outage(clock)
  }

  get isUnderWay(): boolean {
    return this.#request !== undefined
  }

  /** Whether the last attempt failed and the next one is not due. */
  get isPaused(): boolean {
    return this.pauseMs > 0
  }

  /** Milliseconds until the next attempt after a failure is due; 0 when it is due. */
  get pauseMs(): number {
    return this.#backoff.remainingMs
  }

  /** Ends the pause after a failure, because its reason may be gone. */
  endPause(): void {
    this.#backoff.endPause()
  }

  /** Joins the request under way or starts one. During a pause it rejects with the last failure and its `retryAfterMs`. `parent`: of the span of a new request. */
  get(parent?: SpanContext): Promise<T> {
    if (this.#closedBecause !== undefined) return Promise.reject(this.#closedBecause)
    if (this.#request !== undefined) return this.#request.settled
    const { remainingMs } = this.#backoff
    if (this.#lastFailure !== undefined && remainingMs > 0) {
      return Promise.reject(changedError(this.#lastFailure, { retryAfterMs: remainingMs }))
    }
    this.#request = new RequestWithDeadline(this.#surroundings.requestTimeoutMs, signal =>
      logContext
        .carry(() => this.#load(signal, parent))
        .finally(() => {
          this.#request = undefined
        }),
    )
    return this.#request.settled
  }

  /** Counts a caller's lookup that failed with an error of this document. */
  lookupFailed(error: BrokerError): void {
    // A lookup can time out before the first attempt fails.
    if (!countFailedLookups(error)) this.#timedOutLookups++
  }

  /** Ends the outage after a successful load and returns its report; `undefined` when there was none. */
  recovered(): OutageReport | undefined {
    return this.#outage.end()
  }

  status(): LoadStatus {
    const { isUnderWay, isPaused, pauseMs } = this
    return {
      isLoading: isUnderWay,
      nextAttemptAt: isPaused ? wallTimeIn(pauseMs, this.#surroundings.clock) : undefined,
      outage: this.#outage.status(this.#surroundings),
    }
  }

  /** Aborts the request under way; every later call rejects with the reason. */
  close(reason: BrokerError): void {
    this.#closedBecause = reason
    this.#request?.abort(reason)
  }

  async #load(signal: AbortSignal, parent: SpanContext | undefined): Promise<T> {
    const { load, asFailure, onFailure } = this.#options
    try {
      const document = await load(signal, this.#backoff.failures + 1, parent)
      this.#backoff.succeeded()
      this.#timedOutLookups = 0
      return document
    } catch (error) {
      if (this.#closedBecause !== undefined) throw this.#closedBecause
      const failure = asFailure(error)
      this.#backoff.failed()
      this.#outage.attemptFailed(failure)
      this.#outage.claim(failure)
      this.#outage.lookupsFailed(this.#timedOutLookups)
      this.#timedOutLookups = 0
      this.#lastFailure = failure
      onFailure(failure)
      loggedRefusal(failure)
      throw failure
    }
  }
}
