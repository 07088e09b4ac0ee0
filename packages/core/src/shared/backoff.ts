import type { Clock } from './clock.ts'

/** Exponential back-off: each pause is twice as long as the one before, from the first to the longest. */
export interface Pauses {
  readonly firstMs: number
  readonly maxMs: number
}

/** The pause after a number of failures in a row (1 or more), in milliseconds. */
export function pauseAfter(failures: number, { firstMs, maxMs }: Pauses): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs)
}

/** Decides when a failed operation may be retried. */
export class Backoff {
  readonly #pauses: Pauses
  readonly #clock: Clock
  #failures = 0
  #nextTryAt = Number.NEGATIVE_INFINITY

  constructor(pauses: Pauses, clock: Clock) {
    this.#pauses = pauses
    this.#clock = clock
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures
  }

  /** Milliseconds until the next attempt is due; 0 when it is due. */
  get remainingMs(): number {
    return Math.max(0, this.#nextTryAt - this.#clock.monotonic())
  }

  /** Makes the next attempt due. Should it fail, its pause is longer than the last one. */
  endPause(): void {
    this.#nextTryAt = Number.NEGATIVE_INFINITY
  }

  failed(): void {
    this.#failures++
    this.#nextTryAt = this.#clock.monotonic() + pauseAfter(this.#failures, this.#pauses)
  }

  succeeded(): void {
    this.#failures = 0
  }
}
