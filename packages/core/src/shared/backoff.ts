import type { Clock } from './clock.ts'

/** Pauses between tries of what fails: the first one, and each next one twice as long, up to the longest. */
export interface Pauses {
  readonly firstMs: number
  readonly maxMs: number
}

/** The pause after so many failures in a row, 1 or more; in milliseconds. */
export function pauseAfter(failures: number, { firstMs, maxMs }: Pauses): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs)
}

/** When something that failed may be tried again. */
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

  /** Milliseconds until the next try is due; 0 when it is. */
  get remainingMs(): number {
    return Math.max(0, this.#nextTryAt - this.#clock.monotonic())
  }

  failed(): void {
    this.#failures++
    this.#nextTryAt = this.#clock.monotonic() + pauseAfter(this.#failures, this.#pauses)
  }

  succeeded(): void {
    this.#failures = 0
  }
}
