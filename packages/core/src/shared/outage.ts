import type { OutagePeriod, OutageStatus } from '../status/outage-status.ts'
import { type Clock, elapsedMs, type Moment, momentOf } from './clock.ts'
import type { BrokerError } from './errors.ts'
import { failureStatus } from './failure-status.ts'
import type { Surroundings } from './surroundings.ts'

/** The cost of an outage, as fields of the log line about its end. */
export interface OutageReport {
  /** Time from the first failure to the success, in whole milliseconds. */
  readonly failedForMs: number
  /** Requests to the upstream that failed, retries included. */
  readonly failedAttempts: number
  /** Lookups of callers, for a token or for keys, that failed because of it. A check that fails is one lookup. */
  readonly failedLookups: number
}

/** The outages that a failure belongs to: a missing key set can be an outage of the key set and of discovery. */
const outagesOf = new WeakMap<BrokerError, readonly Outage[]>()

interface Failures {
  readonly since: Moment
  attempts: number
  lookups: number
  /** Without a failure where it is no `BrokerError`. */
  last: { readonly failure: BrokerError | undefined; readonly at: number }
  /** When the next success was; `undefined` until then. */
  endedAt: number | undefined
}

/** Counts failures from the first failure of an upstream to its next success, and remembers the last outage. */
export class Outage {
  readonly #clock: Clock
  #failures: Failures | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isOngoing(): boolean {
    return this.#ongoing !== undefined
  }

  /** Counts an attempt that failed; the first one starts the outage. */
  attemptFailed(failure?: BrokerError): void {
    const last = { failure, at: this.#clock.wall() }
    const ongoing = this.#ongoing
    if (ongoing === undefined) {
      this.#failures = { since: momentOf(this.#clock), attempts: 1, lookups: 0, last, endedAt: undefined }
      return
    }
    ongoing.attempts++
    ongoing.last = last
  }

  /** Counts lookups that failed; ignored while there is no outage. */
  lookupsFailed(count: number): void {
    const ongoing = this.#ongoing
    if (ongoing !== undefined) ongoing.lookups += count
  }

  /** Marks a failure as one of this outage, so that {@link countFailedLookups} finds it. */
  claim(failure: BrokerError): void {
    outagesOf.set(failure, [...(outagesOf.get(failure) ?? []), this])
  }

  /** Ends the outage and reports it; `undefined` when there was none. */
  end(): OutageReport | undefined {
    const ongoing = this.#ongoing
    if (ongoing === undefined) return undefined
    ongoing.endedAt = this.#clock.wall()
    return {
      failedForMs: Math.round(elapsedMs(ongoing.since, this.#clock)),
      failedAttempts: ongoing.attempts,
      failedLookups: ongoing.lookups,
    }
  }

  /** The outage that lasts, else the last one. */
  period(): OutagePeriod | undefined {
    if (this.#failures === undefined) return undefined
    const { since, endedAt: until, attempts, lookups, last } = this.#failures
    return {
      since: since.wall,
      until,
      failedAttempts: attempts,
      failedLookups: lookups,
      lastFailedAt: last.at,
    }
  }

  /** The same with its last failure, if that is a `BrokerError`. */
  status(surroundings: Pick<Surroundings, 'describeHint'>): OutageStatus | undefined {
    const period = this.period()
    const failure = this.#failures?.last.failure
    return period && failure && { ...period, lastFailure: failureStatus(failure, surroundings) }
  }

  get #ongoing(): Failures | undefined {
    return this.#failures?.endedAt === undefined ? this.#failures : undefined
  }
}

/** Counts lookups that ended with a failure. Returns `false` when the failure belongs to no outage. */
export function countFailedLookups(failure: BrokerError, count = 1): boolean {
  const outages = outagesOf.get(failure)
  for (const outage of outages ?? []) outage.lookupsFailed(count)
  return outages !== undefined
}

/** Makes a copy of a failure belong to the same outages. */
export function carryOutages(from: BrokerError, to: BrokerError): void {
  const outages = outagesOf.get(from)
  if (outages !== undefined) outagesOf.set(to, outages)
}
