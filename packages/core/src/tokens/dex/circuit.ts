import type { Clock } from '../../shared/clock.ts'
import { Outage, type OutageReport } from '../../shared/outage.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

/** The end of an outage, for its log line. */
export interface Recovery {
  /** Whether the success closed the circuit. */
  readonly wasOpen: boolean
  readonly report: OutageReport | undefined
}

/** A circuit breaker together with what its failures cost. */
export class Circuit {
  readonly breaker: CircuitBreaker
  readonly outage: Outage
  #failedBy: string | 'several' | undefined

  constructor(clock: Clock) {
    this.breaker = new CircuitBreaker(clock)
    this.outage = new Outage(clock)
  }

  /**
   * Notes a failed attempt and tells whether it opened the circuit. `client` is `undefined` when the failure concerns every
   * client. A failure that began before the last success counts only while the outage goes on.
   */
  failed(attempt: {
    readonly period: number
    readonly client?: string
    readonly askedPauseMs?: number | undefined
  }): boolean {
    const { period, client, askedPauseMs } = attempt
    if (period === this.breaker.period || this.outage.isOngoing) {
      this.outage.attemptFailed()
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
    const wasOpen = this.breaker.succeeded()
    const concerned = this.#failedBy === 'several' || this.#failedBy === client
    this.#failedBy = undefined
    const report = this.outage.end()
    return wasOpen || (report !== undefined && concerned) ? { wasOpen, report } : undefined
  }
}
