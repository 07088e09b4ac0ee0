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

  /** `ttlMs` 0 remembers nothing. */
  constructor(ttlMs: number, clock: Clock) {
    this.#rejections = new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock)
  }

  get(order: TokenOrder): BrokerError | undefined {
    return this.#rejections.get(order.key) ?? this.#rejections.get(order.clientKey)
  }

  /** Wrong credentials are wrong for every scope; a wrong scope is wrong for itself alone. */
  add(order: TokenOrder, failure: BrokerError): void {
    const key = clientErrors.has(failure.oauthError) ? order.clientKey : order.key
    this.#rejections.set(key, failure)
  }
}
