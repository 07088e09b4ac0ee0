import { BrokerError } from './errors.ts'
import { type Wait, waitFor } from './wait-for.ts'

/**
 * Limits the callers that wait at the same time, for tokens and for keys together, so that waiting checks never use up the
 * connections of the proxy in front.
 */
export class WaitingCallers {
  readonly #max: number
  #count = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Waits on behalf of one caller. Rejects with `overloaded` at once at the limit. */
  wait<T>(shared: Promise<T>, wait: Wait, timedOut: () => Error): Promise<T> {
    if (this.#count >= this.#max) return Promise.reject(tooManyCallers())
    this.#count++
    return waitFor(shared, wait, timedOut).finally(() => {
      this.#count--
    })
  }
}

/** The error of a caller beyond a limit of waiting callers. */
export function tooManyCallers(): BrokerError {
  return new BrokerError('overloaded', 'too many callers are waiting', {
    retryAfterMs: 1000,
    transient: true,
  })
}
