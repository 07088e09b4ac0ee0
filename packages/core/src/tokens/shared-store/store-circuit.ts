import { Backoff, type Pauses } from '../../shared/backoff.ts'
import type { Clock } from '../../shared/clock.ts'
import type { CircuitState } from '../../status/circuit-status.ts'

/** Errors in a row that open the circuit. They cost a caller little; a timeout costs its whole time, and opens it at once. */
const maxErrorsInARow = 3
/** Time until the next probe. */
const pauses: Pauses = { firstMs: 1_000, maxMs: 15_000 }

/** A call that was let through; exactly one of the two methods must be called. */
export interface StoreAttempt {
  /** Tells whether it closed the circuit. */
  succeeded(): boolean
  /** Tells whether it opened the circuit. */
  failed(isTimeout: boolean): boolean
}

/**
 * Leaves out calls of a store that fails, so that it costs one check a timeout and not each of them. After a pause one call is the
 * probe.
 */
export class StoreCircuit {
  readonly #backoff: Backoff
  #isOpen = false
  #isProbing = false
  #errorsInARow = 0
  /** Counts openings and closings: only the period in which a call began learns from its end. */
  #period = 0

  constructor(clock: Clock) {
    this.#backoff = new Backoff(pauses, clock)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get state(): CircuitState {
    if (!this.#isOpen) return 'closed'
    return this.#isProbing ? 'probing' : 'open'
  }

  /** Milliseconds until the next probe. */
  get retryAfterMs(): number {
    return this.#backoff.remainingMs
  }

  /** Whether it is open and the next call would be the probe. */
  get isProbeDue(): boolean {
    return this.#isOpen && !this.#isProbing && this.#backoff.remainingMs <= 0
  }

  /** Lets a call through; `undefined` while the circuit is open. */
  begin(): StoreAttempt | undefined {
    if (this.#isOpen) {
      if (!this.isProbeDue) return undefined
      this.#isProbing = true
    }
    const period = this.#period
    return {
      succeeded: () => period === this.#period && this.#succeeded(),
      failed: isTimeout => period === this.#period && this.#failed(isTimeout),
    }
  }

  #succeeded(): boolean {
    this.#errorsInARow = 0
    if (!this.#isOpen) return false
    this.#isOpen = false
    this.#isProbing = false
    this.#backoff.succeeded()
    this.#period++
    return true
  }

  #failed(isTimeout: boolean): boolean {
    const wasOpen = this.#isOpen
    this.#errorsInARow++
    if (!wasOpen && !isTimeout && this.#errorsInARow < maxErrorsInARow) return false
    this.#isOpen = true
    this.#isProbing = false
    this.#backoff.failed()
    if (!wasOpen) this.#period++
    return !wasOpen
  }
}
