import type { OrderIssuer } from '../clients/token-order.ts'
import type { TokenOrigin } from './token-origin.ts'

/**
 * The origins of tokens, by the issuer of an order.
 *
 * An origin is found by the issuer itself and not by its name: after a reconfiguration the name can belong to another endpoint,
 * which must not receive the credentials of an order from before. An origin lives as long as an order for it.
 */
export class Origins {
  readonly #origins = new WeakMap<OrderIssuer, TokenOrigin>()

  add(issuer: OrderIssuer, origin: TokenOrigin): void {
    this.#origins.set(issuer, origin)
  }

  of(issuer: OrderIssuer): TokenOrigin {
    const origin = this.#origins.get(issuer)
    if (origin === undefined)
      throw new TypeError(`no origin of tokens is known for the issuer ${issuer.name}`)
    return origin
  }
}
