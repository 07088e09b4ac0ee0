import { LRUCache } from 'lru-cache'
import type { Clock } from '../shared/clock.ts'

/**
 * Time between two invalidations of one token: a token that a backend refuses for good reason is replaced at once, and
 * a backend that refuses every token costs Dex six requests a minute, not one for each call.
 */
const minIntervalMs = 10_000
/** Keys that are remembered at most; more push out the least recently used. */
const maxKeys = 1024

/** Lets each key be invalidated once in 10 seconds. */
export class InvalidationPace {
  readonly #allowedAgainAt = new LRUCache<string, number>({ max: maxKeys })
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether it may happen now; when it may, it counts as done. */
  allows(key: string): boolean {
    const now = this.#clock.monotonic()
    if (now < (this.#allowedAgainAt.get(key) ?? now)) return false
    this.#allowedAgainAt.set(key, now + minIntervalMs)
    return true
  }
}
