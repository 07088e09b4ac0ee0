import type { TokenOrder } from '../clients/token-order.ts'
import { boundedMap } from '../shared/bounded-map.ts'

/** Limit of remembered clients; the least recently used is evicted. */
const maxClients = 8_192

/** Remembers the client credentials that Dex has accepted. Their requests go ahead of requests of unknown clients. */
export class AcceptedClients {
  readonly #keys = boundedMap<true>(maxClients)

  /**
   * Tells whether Dex has accepted the credentials. Configured credentials count from the start. Exchanges never count: users
   * cause them, as many as they like, and must not take the places of machines.
   */
  has({ credentials, clientKey }: TokenOrder): boolean {
    if (credentials.exchange !== undefined) return false
    return credentials.configured || this.#keys.get(clientKey) === true
  }

  add({ credentials, clientKey }: TokenOrder): void {
    // `has` is what counts as a use: it comes before each request.
    if (credentials.exchange === undefined && !this.#keys.has(clientKey)) this.#keys.set(clientKey, true)
  }

  /** Forgets credentials that Dex has rejected. */
  delete({ clientKey }: TokenOrder): void {
    this.#keys.delete(clientKey)
  }
}
