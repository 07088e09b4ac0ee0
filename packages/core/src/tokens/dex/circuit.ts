import { type Clock, wallTimeIn } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { Outage, type OutageReport } from '../../shared/outage.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { CircuitStatus } from '../../status/circuit-status.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

/** The end of an outage, for its log line. */
export interface Recovery {
  /** Whether the success closed the circuit. */
  readonly wasOpen: boolean
  readonly report: OutageReport | undefined
}

/** A circuit breaker with the cost of its failures. */
export class Circuit {
  readonly breaker: CircuitBreaker
  readonly outage: Outage
  #failedBy: string | 'several' | undefined
  #lastFailure: BrokerError | undefined
  readonly #clock: Clock
  #lastAnswerAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.breaker = new CircuitBreaker(clock)
    this.outage = new Outage(clock)
  }

  /** The last failure of an open circuit; `undefined` while it is closed. */
  get openedBy(): BrokerError | undefined {
    return this.breaker.retryAfterMs > 0 ? this.#lastFailure : undefined
  }

  /**
   * Notes a failed attempt and tells whether it opened the circuit. `client` is `undefined` when the failure concerns every
   * client. A failure that began before the last success counts only during an outage.
   */
  failed(
    failure: BrokerError,
    attempt: {
      readonly period: number
      readonly client?: string
      readonly askedPauseMs?: number | undefined
    },
  ): boolean {
    const { period, client, askedPauseMs } = attempt
    this.#lastFailure = failure
    if (period === this.breaker.period || this.outage.isOngoing) {
      this.outage.attemptFailed(failure)
      const isFirst = this.#failedBy === undefined
      this.#failedBy = client !== undefined && (isFirst || this.#failedBy === client) ? client : 'several'
    }
    return this.breaker.failed(askedPauseMs, period, client)
  }

  /**
   * Notes a successful attempt and ends the outage. Returns `undefined` when there was none, and when only another client
   * failed: this client's success says nothing about that one.
   */
  succeeded(client: string): Recovery | undefined {
    this.#lastAnswerAt = this.#clock.wall()
    const wasOpen = this.breaker.succeeded()
    const concerned = this.#failedBy === 'several' || this.#failedBy === client
    this.#failedBy = undefined
    this.#lastFailure = undefined
    const report = this.outage.end()
    return wasOpen || (report !== undefined && concerned) ? { wasOpen, report } : undefined
  }

  status(surroundings: Pick<Surroundings, 'describeHint'>): CircuitStatus {
    const { state, changedAt: since, retryAfterMs } = this.breaker
    return {
      state,
      since,
      nextProbeAt: state === 'closed' ? undefined : wallTimeIn(retryAfterMs, this.#clock),
      lastAnswerAt: this.#lastAnswerAt,
      outage: this.outage.status(surroundings),
    }
  }
}
