import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

export interface ExpiringCacheOptions {
  /** More entries push out the least recently used; 0 keeps none. */
  readonly maxEntries: number
  /** How long an entry counts, in milliseconds on the monotonic clock; 0 keeps none. */
  readonly ttlMs: number
}

/** A bounded memory of which each entry counts for the same time. */
export class ExpiringCache<Value> {
  readonly #entries: LRUCache<string, { readonly value: Value; readonly until: number }> | undefined
  readonly #ttlMs: number
  readonly #clock: Clock

  constructor({ maxEntries, ttlMs }: ExpiringCacheOptions, clock: Clock) {
    this.#entries = maxEntries === 0 || ttlMs === 0 ? undefined : new LRUCache({ max: maxEntries })
    this.#ttlMs = ttlMs
    this.#clock = clock
  }

  get(key: string): Value | undefined {
    const entry = this.#entries?.get(key)
    if (entry === undefined) return undefined
    // Not the time to live of lru-cache: that takes a start at 0 for none, and counts the last millisecond.
    if (this.#clock.monotonic() < entry.until) return entry.value
    this.#entries?.delete(key)
    return undefined
  }

  set(key: string, value: Value): void {
    this.#entries?.set(key, { value, until: this.#clock.monotonic() + this.#ttlMs })
  }

  delete(key: string): void {
    this.#entries?.delete(key)
  }
}
