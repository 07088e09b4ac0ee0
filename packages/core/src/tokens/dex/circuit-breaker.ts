import { type Pauses, pauseAfter } from '../../shared/backoff.ts'
import type { Clock } from '../../shared/clock.ts'

/** Failures in a row that open the circuit. */
const maxFailuresInARow = 5
/** Or half of the attempts within this time, when there are enough to judge by. */
const windowMs = 10_000
/** Attempts are counted together for so long, so that many of them cost no more than a few. */
const sliceMs = 100
const minAttemptsInWindow = 20
/** After this time a single attempt is let through, as a probe; longer with each probe that fails. */
const pauses: Pauses = { firstMs: 1_000, maxMs: 4_000 }
/** Dex itself may ask for a longer pause, but not for any. */
const maxAskedPauseMs = 60_000

/** A stretch of attempts, and by whom those were that failed: nobody, one client, or several. */
interface Slice {
  readonly from: number
  attempts: number
  failures: number
  failedBy: string | 'several' | undefined
}

/**
 * Keeps away from a token endpoint that cannot answer, so that it can recover, and so that callers get their answer at
 * once. What Dex judges, however it judges, counts as an answer.
 *
 * A circuit that several clients share opens only on failures of at least two of them, and after a failed probe the
 * next one is another client's: what fails for one client says nothing about the others.
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

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Grows when the circuit opens, lets a probe through and closes. An attempt remembers the one that it began in: its
   * failure says nothing about a later one.
   */
  get period(): number {
    return this.#period
  }

  /** Milliseconds until the next probe; 0 while attempts are let through. */
  get retryAfterMs(): number {
    if (this.#openUntil === undefined) return 0
    const remaining = this.#openUntil - this.#clock.monotonic()
    return this.#probe !== undefined ? Math.max(remaining, pauses.firstMs) : Math.max(remaining, 0)
  }

  /** Resolves when the probe that is out, if any, has told whether the endpoint answers again. */
  get probe(): Promise<void> | undefined {
    return this.#probe?.promise
  }

  /** Whether an attempt may be made now; changes nothing. `client`: whose, where the circuit is shared. */
  passes(client?: string): boolean {
    if (this.#openUntil === undefined) return true
    const now = this.#clock.monotonic()
    if (this.#probe !== undefined || now < this.#openUntil) return false
    // Another client's turn; the same one again when no other came.
    const isSameAgain = client !== undefined && client === this.#lastProber
    return !isSameAgain || now >= this.#openUntil + pauses.firstMs
  }

  /** An attempt that passes begins; its outcome has to be told. While the circuit is open it is a probe, one at a time. */
  begin(client?: string): void {
    if (this.#openUntil === undefined) return
    this.#probe = Promise.withResolvers()
    this.#prober = client
    this.#period++
  }

  /** Both at once: whether an attempt may be made; it has then begun. */
  allows(client?: string): boolean {
    const passes = this.passes(client)
    if (passes) this.begin(client)
    return passes
  }

  /** Says whether this closed the circuit. */
  succeeded(): boolean {
    this.#failuresInARow = 0
    if (this.#openUntil === undefined) {
      this.#record(false)
      return false
    }
    this.#openUntil = undefined
    this.#endProbe()
    this.#lastProber = undefined
    this.#failedProbes = 0
    this.#slices = []
    this.#period++
    return true
  }

  /**
   * Says whether this opened the circuit. `askedPauseMs`: what Dex asked for by `Retry-After`; opens it at once.
   * `begunIn`: the period after the attempt began. `client`: whose failure it is; without it, it counts for everybody.
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
    return !wasOpen
  }

  /** Says whether there was one. */
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
