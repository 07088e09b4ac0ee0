// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { JwtClaims } from './jwt.ts'

/** Time until a verified JWT is verified again, in milliseconds. */
const ttlMs = 60_000

interface VerifiedJwt {
  readonly claims: JwtClaims
  readonly keySet: KeySet
}

/**
 * Remembers the JWTs that a key set has verified, so that a signature is checked once. Keeps a hash of the JWT, not the JWT
 * itself. `exp` and `nbf` are checked each time.
 */
export class VerifiedJwts {
  readonly #verified: ExpiringCache<VerifiedJwt> | undefined

  /** `maxEntries` 0 turns the cache off. */
  constructor(maxEntries: number, clock: Clock) {
    this.#verified = maxEntries === 0 ? undefined : new ExpiringCache({ maxEntries, ttlMs }, clock)
  }

  /** The cache key of a JWT: a hash of the whole JWT, signature included. */
  idOf(jwt: string): string {
    return this.#verified === undefined ? '' : crypto.hash('sha256', jwt, 'base64url')
  }

  /** The claims of a JWT that this key set has verified. */
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
