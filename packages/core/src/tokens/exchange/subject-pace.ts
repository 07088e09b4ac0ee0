import { boundedMap } from '../../shared/bounded-map.ts'
import type { Clock } from '../../shared/clock.ts'

/** Exchanges of one subject at the same time: as many as there are slots for one client that Dex has not accepted. */
const maxInFlight = 4
/** Exchanges that a subject may start at once: a page that calls several backends, each with its own scope. */
const burst = 10
/** Time after which a subject may start one more. Users renew their JWTs every few minutes, so they need far fewer. */
const intervalMs = 2_000
/**
 * Limit of remembered subjects, about a megabyte. The least recently seen is forgotten and has a new burst: a bucket fills up within
 * 20 seconds, in which Dex serves fewer subjects than this.
 */
const maxSubjects = 8_192

/** The permission to make an exchange. `ended` must be called once. */
export interface StartedExchange {
  ended(): void
}

/** An exchange that must not start now. */
export interface RefusedExchange {
  readonly limit: 'in_flight' | 'pace'
  /** Time until the subject may start an exchange, in milliseconds. */
  readonly retryAfterMs: number
}

interface Bucket {
  /** The time that has been saved up for exchanges until `filledAt`, in milliseconds: whole numbers add up exactly. */
  savedMs: number
  filledAt: number
  inFlight: number
}

/** Limits the exchanges of each subject, so that one user cannot load Dex: 4 at a time, 10 at once, then one per 2 seconds. */
export class SubjectPace {
  readonly #clock: Clock
  readonly #buckets = boundedMap<Bucket>(maxSubjects)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Starts an exchange of a subject, or tells why it must not start. `subject` is a hash. */
  start(subject: string): StartedExchange | RefusedExchange {
    const now = this.#clock.monotonic()
    const bucket = this.#bucketOf(subject, now)
    if (bucket.inFlight >= maxInFlight) return { limit: 'in_flight', retryAfterMs: 1_000 }
    fill(bucket, now)
    if (bucket.savedMs < intervalMs) return { limit: 'pace', retryAfterMs: intervalMs - bucket.savedMs }
    bucket.savedMs -= intervalMs
    bucket.inFlight++
    return {
      // The bucket itself, because the table may have forgotten it.
      ended: () => {
        bucket.inFlight--
      },
    }
  }

  #bucketOf(subject: string, now: number): Bucket {
    const known = this.#buckets.get(subject)
    if (known !== undefined) return known
    const bucket = { savedMs: burst * intervalMs, filledAt: now, inFlight: 0 }
    this.#buckets.set(subject, bucket)
    return bucket
  }
}

function fill(bucket: Bucket, now: number): void {
  bucket.savedMs = Math.min(burst * intervalMs, bucket.savedMs + now - bucket.filledAt)
  bucket.filledAt = now
}
