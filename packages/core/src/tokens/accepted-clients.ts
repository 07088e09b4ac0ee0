import { LRUCache } from 'lru-cache'
import type { TokenOrder } from '../clients/token-order.ts'

/** Clients that are remembered at most; more push out the least recently used. */
const maxClients = 8_192

/** The client credentials that Dex has accepted before: they go ahead of those that nobody has vouched for. */
export class AcceptedClients {
  readonly #keys = new LRUCache<string, true>({ max: maxClients })

  /** Configured credentials count from the start: they are the operator's own. */
  has({ credentials, clientKey }: TokenOrder): boolean {
    return credentials.configured || this.#keys.get(clientKey) === true
  }

  add({ clientKey }: TokenOrder): void {
    this.#keys.set(clientKey, true)
  }

  /** Dex has rejected them: the secret is no longer the right one. */
  delete({ clientKey }: TokenOrder): void {
    this.#keys.delete(clientKey)
  }
}
