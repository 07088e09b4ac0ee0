import type { OrderIssuer } from '../../clients/token-order.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { Origins } from '../origins.ts'
import type { TokenOrigin } from '../token-origin.ts'
import { ExchangeOrigin } from './exchange-origin.ts'
import { SubjectPace } from './subject-pace.ts'

/** The origins of exchanged tokens: the origins of all tokens, within the limits of each user. */
export class ExchangeOrigins implements Pick<Origins, 'of'> {
  readonly #surroundings: Surroundings
  readonly #origins: Origins
  readonly #pace: SubjectPace
  readonly #limited = new WeakMap<TokenOrigin, ExchangeOrigin>()

  constructor(surroundings: Surroundings, origins: Origins) {
    this.#surroundings = surroundings
    this.#origins = origins
    this.#pace = new SubjectPace(surroundings.clock)
  }

  /** Returns the same object for the same origin, because requests under way are shared by it. */
  of(issuer: OrderIssuer): TokenOrigin {
    const origin = this.#origins.of(issuer)
    const known = this.#limited.get(origin)
    if (known !== undefined) return known
    const limited = new ExchangeOrigin(this.#surroundings, { origin, pace: this.#pace })
    this.#limited.set(origin, limited)
    return limited
  }
}
