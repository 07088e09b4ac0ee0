import type { Clock } from '../../shared/clock.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'
import type { JwtHeader } from '../jwt/jwt.ts'

/** Time between two refreshes for unknown keys, and time for which an unknown key is remembered, in milliseconds. */
const coolDownMs = 10_000
const maxUnknownKids = 1024

/**
 * Decides whether an unknown `kid` causes a refresh of the key set.
 *
 * Remembers unknown ids, so that one repeated junk `kid` does not block refreshes. Limits the rate of refreshes, so that many
 * different ones cost little. Junk therefore delays a real rotation by 10 seconds at most.
 */
export class UnknownKids {
  readonly #knownMissing: ExpiringCache<true>
  readonly #clock: Clock
  #nextRefreshAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#knownMissing = new ExpiringCache({ maxEntries: maxUnknownKids, ttlMs: coolDownMs }, clock)
    this.#clock = clock
  }

  /** Tells whether a refresh is allowed now, and counts it if it is. */
  allowRefresh(kid: string): boolean {
    const now = this.#clock.monotonic()
    if (now < this.#nextRefreshAt || this.#knownMissing.get(kid)) return false
    this.#nextRefreshAt = now + coolDownMs
    return true
  }

  /** Remembers a missing `kid`. Call it only when a refresh that began after the `kid` arrived did not bring it. */
  rememberMissing(kid: string): void {
    this.#knownMissing.set(kid, true)
  }
}

/** The name under which an unknown key is remembered. Any key of its algorithm could verify a JWT without a `kid`. */
export function kidOf({ alg, kid }: JwtHeader): string {
  return kid ?? `any ${alg}`
}
