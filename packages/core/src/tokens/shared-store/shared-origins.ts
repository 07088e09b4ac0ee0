import type { OrderIssuer } from '../../clients/token-order.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { Origins } from '../origins.ts'
import type { TokenOrigin } from '../token-origin.ts'
import { SharedOrigin } from './shared-origin.ts'
import type { SharedRecords } from './shared-records.ts'

/** The origins of tokens, behind the shared store. */
export class SharedOrigins {
  readonly #surroundings: Surroundings
  readonly #records: SharedRecords
  readonly #origins: Pick<Origins, 'of'>
  readonly #shared = new WeakMap<TokenOrigin, SharedOrigin>()

  constructor(surroundings: Surroundings, records: SharedRecords, origins: Pick<Origins, 'of'>) {
    this.#surroundings = surroundings
    this.#records = records
    this.#origins = origins
  }

  /** Returns the same object for the same origin, because requests under way are shared by it. */
  of(issuer: OrderIssuer): SharedOrigin {
    const origin = this.#origins.of(issuer)
    const known = this.#shared.get(origin)
    if (known !== undefined) return known
    const shared = new SharedOrigin(this.#surroundings, this.#records, origin)
    this.#shared.set(origin, shared)
    return shared
  }
}
