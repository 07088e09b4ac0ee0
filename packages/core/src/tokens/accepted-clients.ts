import { LRUCache } from 'lru-cache'
import type { TokenOrder } from '../clients/token-order.ts'

/** Limit of remembered clients; the least recently used is evicted. */
const maxClients = 8_192

/** Remembers the client credentials that Dex has accepted. Their requests go ahead of requests of unknown clients. */
export class AcceptedClients {
  readonly #keys = new LRUCache<string, true>({ max: maxClients })

  /** Tells whether Dex has accepted the credentials. Configured credentials count from the start. */
  has({ credentials, clientKey }: TokenOrder): boolean {
    return credentials.configured || this.#keys.get(clientKey) === true
  }

  add({ clientKey }: TokenOrder): void {
    this.#keys.set(clientKey, true)
  }

  /** Forgets credentials that Dex has rejected. */
  delete({ clientKey }: TokenOrder): void {
    this.#keys.delete(clientKey)
  }
}
