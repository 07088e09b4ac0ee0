import type { Clock } from '../../shared/clock.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'

/** At most one refresh for unknown keys in this time, and none saved up; also how long an unknown key is remembered. */
const coolDownMs = 10_000
const maxUnknownKids = 1024

/**
 * Decides whether a `kid` that is not in the key set is worth a refresh.
 *
 * The memory keeps one junk `kid`, sent again and again, from using up the allowance; the allowance bounds what many
 * different ones can cost. Together: junk delays a real rotation by no more than the cool-down.
 */
export class UnknownKids {
  readonly #knownMissing: ExpiringCache<true>
  readonly #clock: Clock
  #nextRefreshAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#knownMissing = new ExpiringCache({ maxEntries: maxUnknownKids, ttlMs: coolDownMs }, clock)
    this.#clock = clock
  }

  /** Takes the allowance when it grants it. */
  allowRefresh(kid: string): boolean {
    const now = this.#clock.monotonic()
    if (now < this.#nextRefreshAt || this.#knownMissing.get(kid)) return false
    this.#nextRefreshAt = now + coolDownMs
    return true
  }

  /** To be called only after a refresh, begun after `kid` was seen, has shown that it does not exist. */
  rememberMissing(kid: string): void {
    this.#knownMissing.set(kid, true)
  }
}
