import { Backoff, type Pauses } from './backoff.ts'
import { BrokerError } from './errors.ts'
import { RequestWithDeadline } from './request-with-deadline.ts'
import type { Surroundings } from './surroundings.ts'

export interface SharedFetchOptions<T> {
  /** Gets the document, and takes note of it before anybody hears of it. */
  readonly load: (signal: AbortSignal) => Promise<T>
  /** A failure in the words of the broker; `timedOut` when the deadline ended the load. */
  readonly asFailure: (error: unknown, timedOut: boolean) => BrokerError
  /** Told of each load that failed, before anybody hears of it. */
  readonly onFailure: (failure: BrokerError) => void
  readonly pauses: Pauses
}

/**
 * A document that many wait for: one request at a time, which belongs to no caller and ends at its own deadline; after a
 * failure nobody asks before the pause is over.
 */
export class SharedFetch<T> {
  readonly #options: SharedFetchOptions<T>
  readonly #timeoutMs: number
  readonly #backoff: Backoff
  #request: RequestWithDeadline<T> | undefined
  #lastFailure: BrokerError | undefined
  #closedBecause: BrokerError | undefined

  constructor({ clock, requestTimeoutMs }: Surroundings, options: SharedFetchOptions<T>) {
    this.#options = options
    this.#timeoutMs = requestTimeoutMs
    this.#backoff = new Backoff(options.pauses, clock)
  }

  get isUnderWay(): boolean {
    return this.#request !== undefined
  }

  /** Whether the last try failed and the next one is not due. */
  get isPaused(): boolean {
    return this.#backoff.remainingMs > 0
  }

  /** The request that is under way, else a new one; while it is paused, the last failure, which says when to try again. */
  get(): Promise<T> {
    if (this.#closedBecause !== undefined) return Promise.reject(this.#closedBecause)
    if (this.#request !== undefined) return this.#request.settled
    const { remainingMs } = this.#backoff
    if (this.#lastFailure !== undefined && remainingMs > 0) {
      return Promise.reject(repeated(this.#lastFailure, remainingMs))
    }
    this.#request = new RequestWithDeadline(this.#timeoutMs, signal =>
      this.#load(signal).finally(() => {
        this.#request = undefined
      }),
    )
    return this.#request.settled
  }

  /** Ends what is under way; from now on everybody gets the reason. */
  close(reason: BrokerError): void {
    this.#closedBecause = reason
    this.#request?.abort(reason)
  }

  async #load(signal: AbortSignal): Promise<T> {
    const { load, asFailure, onFailure } = this.#options
    try {
      const document = await load(signal)
      this.#backoff.succeeded()
      return document
    } catch (error) {
      if (this.#closedBecause !== undefined) throw this.#closedBecause
      const failure = asFailure(error, signal.aborted)
      this.#backoff.failed()
      this.#lastFailure = failure
      onFailure(failure)
      throw failure
    }
  }
}

/** Without the hint, which was logged with the failure itself. */
function repeated({ code, message, transient }: BrokerError, retryAfterMs: number): BrokerError {
  return new BrokerError(code, message, { transient, retryAfterMs })
}
