import type { TokenOrder } from '../../clients/token-order.ts'
import type { Clock } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'

/** Limit of remembered rejections; the least recently used is evicted. */
const maxRejected = 1024
/** OAuth errors that reject the client itself, whatever it requests. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

/**
 * Caches rejections for a few seconds, so that a wrong secret does not cause a request per call.
 *
 * It is separate from the token cache, so that wrong credentials evict no token. Its keys cover a caller's secret and the version
 * of a configured one, so that a corrected secret works at once.
 */
export class RejectedCredentials {
  readonly #rejections: ExpiringCache<BrokerError>
  readonly #refusedOnce: ExpiringCache<true>

  /** `ttlMs` 0 turns the cache off. */
  constructor(ttlMs: number, clock: Clock) {
    this.#rejections = new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock)
    this.#refusedOnce = new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock)
  }

  get(order: TokenOrder): BrokerError | undefined {
    return this.#rejections.get(keyOf(order)) ?? this.#rejections.get(clientKeyOf(order))
  }

  /** Wrong credentials count for every scope; a wrong scope counts for itself alone. */
  add(order: TokenOrder, failure: BrokerError): void {
    this.#rejections.set(clientErrors.has(failure.oauthError) ? clientKeyOf(order) : keyOf(order), failure)
  }

  /**
   * Remembers the second refusal by a proxy in front of Dex within the same time: the request after the first may pass.
   * Applies to this order alone, because its content may be the reason.
   */
  addWhenRepeated(order: TokenOrder, failure: BrokerError): void {
    const key = keyOf(order)
    if (this.#refusedOnce.get(key) === undefined) {
      this.#refusedOnce.set(key, true)
    } else {
      this.#refusedOnce.delete(key)
      this.#rejections.set(key, failure)
    }
  }

  /** Forgets a first refusal, because a token was issued. */
  passed(order: TokenOrder): void {
    this.#refusedOnce.delete(keyOf(order))
  }
}

// With the same credentials or scope, the configured client's rejection is the operator's fault and a caller's rejection the
// caller's: each needs its own error.

function keyOf({ key, secretVersion, credentials: { configured, scopeConfigured } }: TokenOrder): string {
  return `${key} ${secretVersion} ${configured} ${scopeConfigured}`
}

function clientKeyOf({ clientKey, secretVersion, credentials: { configured } }: TokenOrder): string {
  return `${clientKey} ${secretVersion} ${configured}`
}
