import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../shared/clock.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { JwtClaims } from './jwt.ts'

/** A JWT that was verified is verified again after this time, at the latest. */
const maxAgeMs = 60_000

interface VerifiedJwt {
  readonly claims: JwtClaims
  readonly keySet: KeySet
  readonly until: number
}

/**
 * Remembers which JWTs a key set has verified, so that a signature is checked once. By a hash of the whole JWT: neither
 * the JWT nor its signature stays in memory. What time can change is looked at each time.
 */
export class VerifiedJwts {
  readonly #verified: LRUCache<string, VerifiedJwt> | undefined
  readonly #clock: Clock

  /** `maxEntries` 0 remembers nothing. */
  constructor(maxEntries: number, clock: Clock) {
    this.#verified = maxEntries === 0 ? undefined : new LRUCache({ max: maxEntries })
    this.#clock = clock
  }

  /** What a JWT is remembered by: a hash of all of it, its signature included. */
  idOf(jwt: string): string {
    return this.#verified === undefined ? '' : hash('sha256', jwt, 'base64url')
  }

  /** The claims of a JWT that this very key set has verified. */
  get(id: string, keySet: KeySet): JwtClaims | undefined {
    const found = this.#verified?.get(id)
    if (found === undefined) return undefined
    if (found.keySet === keySet && this.#clock.monotonic() < found.until) return found.claims
    this.#verified?.delete(id)
    return undefined
  }

  add(id: string, keySet: KeySet, claims: JwtClaims): void {
    this.#verified?.set(id, { claims, keySet, until: this.#clock.monotonic() + maxAgeMs })
  }
}
