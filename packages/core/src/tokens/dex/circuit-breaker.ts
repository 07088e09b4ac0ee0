import { type Pauses, pauseAfter } from '../../shared/backoff.ts'
import type { Clock } from '../../shared/clock.ts'
import type { CircuitState } from '../../status/circuit-status.ts'

/** Failures in a row that open the circuit, */
const maxFailuresInARow = 5
/** or half of the attempts within this time, if there are enough of them. */
const windowMs = 10_000
/** Attempts within this time share one counter, so that memory does not grow with the load. */
const sliceMs = 100
const minAttemptsInWindow = 20
/** Time until a single attempt is made as a probe; it grows with each failed probe. */
const pauses: Pauses = { firstMs: 1_000, maxMs: 4_000 }
/** The longest pause that Dex can ask for. */
const maxAskedPauseMs = 60_000

/** Attempts within a slice of time, and whose failed: one client's or several clients'. */
interface Slice {
  readonly from: number
  attempts: number
  failures: number
  failedBy: string | 'several' | undefined
}

/**
 * Stops requests to a token endpoint that fails, so that it can recover and callers do not wait. A rejection by Dex counts
 * as a success.
 *
 * A circuit shared by several clients opens only on failures of at least two of them. After a failed probe another client
 * probes next, because one client's failures say nothing about the others.
 */
export class CircuitBreaker {
  readonly #clock: Clock
  #slices: Slice[] = []
  #failuresInARow = 0
  #period = 0
  #failedProbes = 0
  #openUntil: number | undefined
  #probe: PromiseWithResolvers<void> | undefined
  #prober: string | undefined
  #lastProber: string | undefined
  #changedAt: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * A number that grows when the circuit opens, starts a probe and closes. The failure of an attempt counts only in the
   * period in which the attempt began.
   */
  get period(): number {
    return this.#period
  }

  get state(): CircuitState {
    if (this.#openUntil === undefined) return 'closed'
    return this.#probe === undefined ? 'open' : 'probing'
  }

  /** When it opened or closed last, on the wall clock; `undefined` when it never did. */
  get changedAt(): number | undefined {
    return this.#changedAt
  }

  /** Milliseconds until the next probe; 0 while the circuit is closed. */
  get retryAfterMs(): number {
    if (this.#openUntil === undefined) return 0
    const remaining = this.#openUntil - this.#clock.monotonic()
    return this.#probe !== undefined ? Math.max(remaining, pauses.firstMs) : Math.max(remaining, 0)
  }

  /** Resolves when the probe under way ends; `undefined` without one. */
  get probe(): Promise<void> | undefined {
    return this.#probe?.promise
  }

  /** Tells whether an attempt may be made now; changes nothing. `client` identifies it where the circuit is shared. */
  passes(client?: string): boolean {
    if (this.#openUntil === undefined) return true
    const now = this.#clock.monotonic()
    if (this.#probe !== undefined || now < this.#openUntil) return false
    // Another client probes next; the same one only when no other came.
    const isSameAgain = client !== undefined && client === this.#lastProber
    return !isSameAgain || now >= this.#openUntil + pauses.firstMs
  }

  /** Starts an attempt, which must end with `succeeded` or `failed`. While the circuit is open it is the only probe. */
  begin(client?: string): void {
    if (this.#openUntil === undefined) return
    this.#probe = Promise.withResolvers()
    this.#prober = client
    this.#period++
  }

  /** Starts an attempt if one may be made, and tells whether it did. */
  allows(client?: string): boolean {
    const passes = this.passes(client)
    if (passes) this.begin(client)
    return passes
  }

  /** Notes a success and tells whether it closed the circuit. */
  succeeded(): boolean {
    this.#failuresInARow = 0
    if (this.#openUntil === undefined) {
      this.#record(false)
      return false
    }
    this.#openUntil = undefined
    this.#changedAt = this.#clock.wall()
    this.#endProbe()
    this.#lastProber = undefined
    this.#failedProbes = 0
    this.#slices = []
    this.#period++
    return true
  }

  /**
   * Notes a failure and tells whether it opened the circuit. `askedPauseMs`, from `Retry-After`, opens it at once. `begunIn` is
   * the period after the attempt began. Without `client` the failure counts for every client.
   */
  failed(askedPauseMs?: number, begunIn: number = this.#period, client: string = 'several'): boolean {
    if (begunIn !== this.#period) return false
    this.#failuresInARow++
    this.#record(true, client)
    const wasProbe = this.#endProbe()
    if (wasProbe) {
      this.#failedProbes++
      this.#lastProber = this.#prober
    }
    const mustOpen = this.#concernsSeveral && (askedPauseMs !== undefined || this.#failsTooOften)
    if (!wasProbe && !mustOpen) return false
    const wasOpen = this.#openUntil !== undefined
    const ownPauseMs = pauseAfter(this.#failedProbes + 1, pauses)
    const pauseMs = Math.max(ownPauseMs, Math.min(askedPauseMs ?? 0, maxAskedPauseMs))
    this.#openUntil = this.#clock.monotonic() + pauseMs
    this.#period++
    if (!wasOpen) this.#changedAt = this.#clock.wall()
    return !wasOpen
  }

  /** Ends the probe under way and tells whether there was one. */
  #endProbe(): boolean {
    const probe = this.#probe
    this.#probe = undefined
    probe?.resolve()
    return probe !== undefined
  }

  get #concernsSeveral(): boolean {
    const clients = new Set<string>()
    for (const { failedBy } of this.#slices) if (failedBy !== undefined) clients.add(failedBy)
    return clients.size > 1 || clients.has('several')
  }

  get #failsTooOften(): boolean {
    if (this.#failuresInARow >= maxFailuresInARow) return true
    let attempts = 0
    let failures = 0
    for (const slice of this.#slices) {
      attempts += slice.attempts
      failures += slice.failures
    }
    return attempts >= minAttemptsInWindow && failures * 2 >= attempts
  }

  #record(failed: boolean, client?: string): void {
    const now = this.#clock.monotonic()
    let slice = this.#slices.at(-1)
    if (slice === undefined || now >= slice.from + sliceMs) {
      slice = { from: now, attempts: 0, failures: 0, failedBy: undefined }
      this.#slices = this.#slices.filter(({ from }) => from > now - windowMs)
      this.#slices.push(slice)
    }
    slice.attempts++
    if (!failed) return
    slice.failures++
    slice.failedBy = slice.failedBy === undefined || slice.failedBy === client ? client : 'several'
  }
}
