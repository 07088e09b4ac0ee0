import type { LRUCache } from 'lru-cache'
import { boundedMap } from './bounded-map.ts'
import type { Clock } from './clock.ts'

export interface ExpiringCacheOptions {
  /** Limit of entries; the least recently used is evicted. 0 turns the cache off. */
  readonly maxEntries: number
  /** Lifetime of an entry, in milliseconds on the monotonic clock. 0 turns the cache off. */
  readonly ttlMs: number
}

/** A bounded cache whose entries all have the same lifetime. */
export class ExpiringCache<Value> {
  readonly #entries: LRUCache<string, { readonly value: Value; readonly until: number }> | undefined
  readonly #ttlMs: number
  readonly #clock: Clock

  constructor({ maxEntries, ttlMs }: ExpiringCacheOptions, clock: Clock) {
    this.#entries = maxEntries === 0 || ttlMs === 0 ? undefined : boundedMap(maxEntries)
    this.#ttlMs = ttlMs
    this.#clock = clock
  }

  /** Entries now, expired ones that are not removed yet included. */
  get size(): number {
    return this.#entries?.size ?? 0
  }

  get(key: string): Value | undefined {
    const entry = this.#entries?.get(key)
    if (entry === undefined) return undefined
    // The ttl of lru-cache does not fit: it reads a start at 0 as none, and includes the last millisecond.
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
