import type { TokenOrder } from '../../clients/token-order.ts'
import type { Clock } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { ExpiringCache } from '../../shared/expiring-cache.ts'
import { concernsAllUsers } from './exchange-failure.ts'

/** Limit of remembered rejections; the least recently used is evicted. */
const maxRejected = 1024
/** OAuth errors that reject the client itself, whatever it requests. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

interface Rejections {
  readonly lasting: ExpiringCache<BrokerError>
  /** First refusals by a proxy in front of Dex. */
  readonly once: ExpiringCache<true>
}

/**
 * Caches rejections for a few seconds, so that a wrong secret does not cause a request per call.
 *
 * It is separate from the token cache, so that wrong credentials evict no token. Its keys cover a caller's secret and the version
 * of a configured one, so that a corrected secret works at once.
 */
export class RejectedCredentials {
  readonly #ofClients: Rejections
  /** By itself, so that users evict no rejection of a client. */
  readonly #ofExchanges: Rejections

  /** `ttlMs` 0 turns the cache off. */
  constructor(ttlMs: number, clock: Clock) {
    const rejections = (): Rejections => ({
      lasting: new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock),
      once: new ExpiringCache({ maxEntries: maxRejected, ttlMs }, clock),
    })
    this.#ofClients = rejections()
    this.#ofExchanges = rejections()
  }

  get(order: TokenOrder): BrokerError | undefined {
    const { lasting } = this.#of(order)
    // The usual case, in which no key is needed.
    if (lasting.size === 0) return undefined
    return lasting.get(keyOf(order)) ?? lasting.get(sharedKeyOf(order))
  }

  /**
   * Wrong credentials count for every scope; a wrong scope counts for itself alone. For exchanges a misconfiguration counts for all
   * users, and a refused subject token for itself alone.
   */
  add(order: TokenOrder, failure: BrokerError): void {
    const isShared =
      order.credentials.exchange === undefined
        ? clientErrors.has(failure.oauthError)
        : concernsAllUsers(failure)
    this.#of(order).lasting.set(isShared ? sharedKeyOf(order) : keyOf(order), failure)
  }

  /**
   * Remembers the second refusal by a proxy in front of Dex within the same time: the request after the first may pass.
   * Applies to this order alone, because its content may be the reason.
   */
  addWhenRepeated(order: TokenOrder, failure: BrokerError): void {
    const key = keyOf(order)
    const { once, lasting } = this.#of(order)
    if (once.get(key) === undefined) {
      once.set(key, true)
    } else {
      once.delete(key)
      lasting.set(key, failure)
    }
  }

  /** Forgets a first refusal, because a token was issued. */
  passed(order: TokenOrder): void {
    const { once } = this.#of(order)
    if (once.size > 0) once.delete(keyOf(order))
  }

  #of({ credentials }: TokenOrder): Rejections {
    return credentials.exchange === undefined ? this.#ofClients : this.#ofExchanges
  }
}

// With the same credentials or scope, the configured client's rejection is the operator's fault and a caller's rejection the
// caller's: each needs its own error.

function keyOf({ key, secretVersion, credentials: { configured, scopeConfigured } }: TokenOrder): string {
  return `${key} ${secretVersion} ${configured} ${scopeConfigured}`
}

function sharedKeyOf(order: TokenOrder): string {
  const { secretVersion, credentials } = order
  const key = credentials.exchange === undefined ? order.clientKey : order.exchangeKey
  return `${key} ${secretVersion} ${credentials.configured}`
}
