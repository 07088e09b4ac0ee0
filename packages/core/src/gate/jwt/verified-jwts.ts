// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'
import type { CacheStatus } from '../../status/cache-status.ts'
import type { CallersIssuer } from '../callers-issuer.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { VerifiedCaller } from '../verified-caller.ts'

/** Time until a verified JWT is verified again, in milliseconds. */
const ttlMs = 60_000

/** A JWT that its issuer's key set has verified. */
export interface VerifiedJwt {
  readonly issuer: CallersIssuer
  readonly keySet: KeySet
  readonly caller: VerifiedCaller
  /** The error for a caller that lacks a required group or scope. */
  readonly refusal: BrokerError | undefined
}

/**
 * Remembers the JWTs that the key sets of their issuers have verified, so that a signature is checked once. Keeps a hash of the
 * JWT, not the JWT itself. `exp` and `nbf` are checked each time.
 */
export class VerifiedJwts {
  readonly #maxEntries: number
  readonly #verified: ExpiringCache<VerifiedJwt> | undefined

  /** `maxEntries` 0 turns the cache off. */
  constructor(maxEntries: number, clock: Clock) {
    this.#maxEntries = maxEntries
    this.#verified = maxEntries === 0 ? undefined : new ExpiringCache({ maxEntries, ttlMs }, clock)
  }

  status(): Pick<CacheStatus, 'entries' | 'maxEntries'> {
    return { entries: this.#verified?.size ?? 0, maxEntries: this.#maxEntries }
  }

  /** The cache key of a JWT: a hash of the whole JWT, signature included. */
  idOf(jwt: string): string {
    return this.#verified === undefined ? '' : crypto.hash('sha256', jwt, 'base64url')
  }

  /** Returns a JWT that the current key set of its issuer has verified. */
  get(id: string): VerifiedJwt | undefined {
    const found = this.#verified?.get(id)
    if (found === undefined) return undefined
    const current = found.issuer.keys.current()
    if (current === found.keySet) return found
    if (current !== undefined) this.#verified?.delete(id)
    return undefined
  }

  add(id: string, jwt: VerifiedJwt): void {
    this.#verified?.set(id, jwt)
  }
}
