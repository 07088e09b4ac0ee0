import type { Clock } from '../shared/clock.ts'
import { ExpiringCache } from '../shared/expiring-cache.ts'

/**
 * Time between two invalidations of one token: a token that a backend refuses for good reason is replaced at once, and
 * a backend that refuses every token costs Dex six requests a minute, not one for each call.
 */
const minIntervalMs = 10_000
/** Keys that are remembered at most; more push out the least recently used. */
const maxKeys = 1024

/** Lets each key be invalidated once in 10 seconds. */
export class InvalidationPace {
  readonly #recent: ExpiringCache<true>

  constructor(clock: Clock) {
    this.#recent = new ExpiringCache({ maxEntries: maxKeys, ttlMs: minIntervalMs }, clock)
  }

  /** Whether it may happen now; when it may, it counts as done. */
  allows(key: string): boolean {
    if (this.#recent.get(key)) return false
    this.#recent.set(key, true)
    return true
  }
}
