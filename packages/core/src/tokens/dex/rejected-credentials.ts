import type { TokenOrder } from '../../clients/token-order.ts'
import type { Clock } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'

/** Credential sets that are remembered at most; more push out the least recently used. */
const maxRejected = 1024
/** Rejections of the client itself, whatever it asks for. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

/**
 * Remembers for a few seconds what Dex rejected, so that a wrong secret cannot hammer Dex.
 *
 * A cache of its own, or wrong credentials would push good tokens out. Its keys cover the secret, so a corrected secret
 * passes at once.
 */
export class RejectedCredentials {
  readonly #rejections: ExpiringCache<BrokerError>
  readonly #refusedOnce: ExpiringCache<true>

  /** `ttlMs` 0 remembers nothing. */
  constructor(ttlMs: number, clock: Clock) {
    this.#rejections = new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock)
    this.#refusedOnce = new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock)
  }

  get(order: TokenOrder): BrokerError | undefined {
    return this.#rejections.get(keyOf(order)) ?? this.#rejections.get(clientKeyOf(order))
  }

  /** Wrong credentials are wrong for every scope; a wrong scope is wrong for itself alone. */
  add(order: TokenOrder, failure: BrokerError): void {
    this.#rejections.set(clientErrors.has(failure.oauthError) ? clientKeyOf(order) : keyOf(order), failure)
  }

  /**
   * For a refusal by what stands in front of Dex: the next request may well pass, but a second refusal in the same time is
   * remembered. Of this order alone, because what it holds may be the reason.
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

  /** A token came: the next refusal is a first one again. */
  passed(order: TokenOrder): void {
    this.#refusedOnce.delete(keyOf(order))
  }
}

// What is the operator's fault for the configured client is a caller's own fault where the caller brings the same
// credentials, or the same scope: each of them hears of its own.

function keyOf({ key, credentials: { configured, scopeConfigured } }: TokenOrder): string {
  return `${key} ${configured} ${scopeConfigured}`
}

function clientKeyOf({ clientKey, credentials: { configured } }: TokenOrder): string {
  return `${clientKey} ${configured}`
}
