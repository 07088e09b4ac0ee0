import { BrokerError } from '../shared/errors.ts'
import { logContext } from '../shared/log-context.ts'
import { countFailedLookups } from '../shared/outage.ts'
import type { SpanContext } from '../shared/tracer.ts'

/** Limit of callers that wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000
/** The same for a client that Dex has not accepted yet. */
const maxWaitersPerStranger = 256

/**
 * Does the work. Calls `onFirstFailure` when it retries after a failure. An abort of the controller ends the work, which itself aborts it
 * at its deadline. One controller for both, because every token request would pay for the second one.
 */
export type Work<T> = (
  controller: AbortController,
  onFirstFailure: (error: BrokerError) => void,
) => Promise<T>

/** The differences between work for the same key. */
export interface WorkKind {
  /** Does the work; only work with the same one is shared. */
  readonly origin: object
  /** Whether Dex has not accepted the client yet. */
  readonly isStranger: boolean
  /** The span of the caller that starts the work. */
  readonly leader?: SpanContext | undefined
}

/** Work under way, shared by all callers that want its result. */
export class SharedWork<T> {
  readonly origin: object
  readonly leader: SpanContext | undefined
  readonly isStranger: boolean
  /** Settles with the result, or with the error after all retries. */
  readonly settled: Promise<T>
  waiters = 0
  /** Lookups that gave up before the work failed: their failure belongs to the work's outage, if it fails. */
  lostLookups = 0
  readonly #controller = new AbortController()
  #firstFailure: BrokerError | undefined
  #firstAttempt: PromiseWithResolvers<T> | undefined

  /** Starts the work. `ended` is called at its end, before anybody learns of it. */
  constructor({ origin, isStranger, leader }: WorkKind, work: Work<T>, ended: (work: SharedWork<T>) => void) {
    this.origin = origin
    this.isStranger = isStranger
    this.leader = leader
    const onFirstFailure = (failure: BrokerError) => {
      this.#firstFailure ??= failure
      this.#firstAttempt?.reject(failure)
    }
    this.settled = logContext
      .carry(() => work(this.#controller, onFirstFailure))
      .then(
        result => {
          ended(this)
          return result
        },
        error => {
          ended(this)
          if (BrokerError.is(error)) countFailedLookups(error, this.lostLookups)
          throw error
        },
      )
    // All callers can be gone when it fails.
    this.settled.catch(() => {})
  }

  /** Settles with the result, or with the error of the first attempt. */
  get firstAttempt(): Promise<T> {
    // For the first caller that wants it: only callers with a cached token do.
    this.#firstAttempt ??= this.#withFirstAttempt()
    return this.#firstAttempt.promise
  }

  /** The error of the first attempt, once it has failed. */
  get firstFailure(): BrokerError | undefined {
    return this.#firstFailure
  }

  get maxWaiters(): number {
    return this.isStranger ? maxWaitersPerStranger : maxWaitersPerKey
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }

  #withFirstAttempt(): PromiseWithResolvers<T> {
    const firstAttempt = Promise.withResolvers<T>()
    firstAttempt.promise.catch(() => {})
    if (this.#firstFailure !== undefined) firstAttempt.reject(this.#firstFailure)
    this.settled.then(firstAttempt.resolve, firstAttempt.reject)
    return firstAttempt
  }
}
