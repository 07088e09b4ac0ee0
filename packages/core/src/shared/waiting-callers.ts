import { BrokerError } from './errors.ts'
import { type Wait, waitFor } from './wait-for.ts'

/** Fraction of all places for callers whose credentials nobody has accepted yet. */
const unknownPart = 0.5

/** A caller that waits. */
export interface CallersWait {
  /** Whether nobody has accepted its credentials yet. */
  readonly isUnknown: boolean
  /** Makes the error of a caller that waited too long. */
  readonly timedOut: () => Error
  /** Called when the wait ends. */
  readonly ended?: () => void
}

/**
 * Limits the callers that wait at the same time, for tokens and for keys together, so that waiting checks never use up the
 * connections of the proxy in front. Callers with unknown credentials have at most half of the places.
 */
export class WaitingCallers {
  #max: number
  #count = 0
  #unknown = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Sets another limit. Callers that wait already are not affected. */
  set max(max: number) {
    this.#max = max
  }

  get max(): number {
    return this.#max
  }

  /** Callers that wait now. */
  get count(): number {
    return this.#count
  }

  get #maxUnknown(): number {
    return Math.max(1, Math.floor(this.#max * unknownPart))
  }

  /** Waits on behalf of one caller. Rejects with `overloaded` at once at the limit. */
  wait<T>(shared: Promise<T>, wait: Wait, { isUnknown, timedOut, ended }: CallersWait): Promise<T> {
    if (this.#count >= this.#max || (isUnknown && this.#unknown >= this.#maxUnknown)) {
      // Perhaps nobody else waits for it, and its rejection would end the process.
      shared.catch(() => {})
      ended?.()
      return Promise.reject(tooManyCallers())
    }
    this.#count++
    if (isUnknown) this.#unknown++
    return waitFor(shared, wait, timedOut, () => {
      this.#count--
      if (isUnknown) this.#unknown--
      ended?.()
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
