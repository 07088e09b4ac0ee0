import { type Clock, elapsedMs, type Moment, momentOf } from './clock.ts'
import type { BrokerError } from './errors.ts'

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

/** Counts failures from the first failure of an upstream to its next success. */
export class Outage {
  readonly #clock: Clock
  #since: Moment | undefined
  #failedAttempts = 0
  #failedLookups = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isOngoing(): boolean {
    return this.#since !== undefined
  }

  /** Counts an attempt that failed; the first one starts the outage. */
  attemptFailed(): void {
    this.#since ??= momentOf(this.#clock)
    this.#failedAttempts++
  }

  /** Counts lookups that failed; ignored while there is no outage. */
  lookupsFailed(count: number): void {
    if (this.isOngoing) this.#failedLookups += count
  }

  /** Marks a failure as one of this outage, so that {@link countFailedLookups} finds it. */
  claim(failure: BrokerError): void {
    outagesOf.set(failure, [...(outagesOf.get(failure) ?? []), this])
  }

  /** Ends the outage and reports it; `undefined` when there was none. */
  end(): OutageReport | undefined {
    if (this.#since === undefined) return undefined
    const report = {
      failedForMs: Math.round(elapsedMs(this.#since, this.#clock)),
      failedAttempts: this.#failedAttempts,
      failedLookups: this.#failedLookups,
    }
    this.#since = undefined
    this.#failedAttempts = 0
    this.#failedLookups = 0
    return report
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
