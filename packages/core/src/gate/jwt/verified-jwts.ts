// As a whole: a name that an old Node lacks would fail before `assertNodeVersion` can say so.
import * as crypto from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { JwtClaims } from './jwt.ts'

/** A JWT that was verified is verified again after this time, at the latest. */
const ttlMs = 60_000

interface VerifiedJwt {
  readonly claims: JwtClaims
  readonly keySet: KeySet
}

/**
 * Remembers which JWTs a key set has verified, so that a signature is checked once. By a hash of the whole JWT: neither
 * the JWT nor its signature stays in memory. What time can change is looked at each time.
 */
export class VerifiedJwts {
  readonly #verified: ExpiringCache<VerifiedJwt> | undefined

  /** `maxEntries` 0 remembers nothing. */
  constructor(maxEntries: number, clock: Clock) {
    this.#verified = maxEntries === 0 ? undefined : new ExpiringCache({ maxEntries, ttlMs }, clock)
  }

  /** What a JWT is remembered by: a hash of all of it, its signature included. */
  idOf(jwt: string): string {
    return this.#verified === undefined ? '' : crypto.hash('sha256', jwt, 'base64url')
  }

  /** The claims of a JWT that this very key set has verified. */
  get(id: string, keySet: KeySet): JwtClaims | undefined {
    const found = this.#verified?.get(id)
    if (found === undefined || found.keySet === keySet) return found?.claims
    this.#verified?.delete(id)
    return undefined
  }

  add(id: string, keySet: KeySet, claims: JwtClaims): void {
    this.#verified?.set(id, { claims, keySet })
  }
}
