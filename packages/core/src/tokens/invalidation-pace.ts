import type { Clock } from '../shared/clock.ts'
import { ExpiringCache } from '../shared/expiring-cache.ts'

/**
 * Time between two invalidations of one key. A backend that refuses every token then costs Dex six requests a minute, not
 * one per call.
 */
const minIntervalMs = 10_000
/** Limit of remembered keys; the least recently used is evicted. */
const maxKeys = 1024

/** Allows one invalidation per key in 10 seconds. */
export class InvalidationPace {
  readonly #recent: ExpiringCache<true>

  constructor(clock: Clock) {
    this.#recent = new ExpiringCache({ maxEntries: maxKeys, ttlMs: minIntervalMs }, clock)
  }

  /** Tells whether a key may be invalidated now, and counts it when it may. */
  allows(key: string): boolean {
    if (this.#recent.get(key)) return false
    this.#recent.set(key, true)
    return true
  }
}
