import { LRUCache } from 'lru-cache'
import type { Clock } from '../shared/clock.ts'
import type { BrokerError } from '../shared/errors.ts'

/** Credential sets that are remembered at most; more push out the least recently used. */
const maxRejected = 1024

interface Rejection {
  readonly error: BrokerError
  readonly until: number
}

/**
 * Remembers for a few seconds what Dex rejected, so that a wrong secret cannot hammer Dex.
 *
 * A cache of its own, or wrong credentials would push good tokens out. Keys come from `CacheKeys` and cover the
 * secret, so a corrected secret passes at once.
 */
export class RejectedCredentials {
  readonly #rejections = new LRUCache<string, Rejection>({ max: maxRejected })
  readonly #ttlMs: number
  readonly #clock: Clock

  /** `ttlMs` 0 remembers nothing. */
  constructor(ttlMs: number, clock: Clock) {
    this.#ttlMs = ttlMs
    this.#clock = clock
  }

  get(key: string): BrokerError | undefined {
    const rejection = this.#rejections.get(key)
    if (rejection === undefined) return undefined
    if (this.#clock.monotonic() < rejection.until) return rejection.error
    this.#rejections.delete(key)
    return undefined
  }

  add(key: string, error: BrokerError): void {
    if (this.#ttlMs > 0) this.#rejections.set(key, { error, until: this.#clock.monotonic() + this.#ttlMs })
  }
}
