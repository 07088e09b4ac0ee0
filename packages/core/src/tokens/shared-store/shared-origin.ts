import type { TokenOrder } from '../../clients/token-order.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { usableMs } from '../cache/token-life.ts'
import { endsToken } from '../is-outlived.ts'
import type { ObtainedToken, TokenOrigin } from '../token-origin.ts'
import { HeldLease } from './held-lease.ts'
import { RecordSearch, type WantedToken } from './record-search.ts'
import type { SharedRecords, SharedStore } from './shared-records.ts'

/**
 * Obtains tokens from the shared store, else from Dex: under a lease, so that one replica requests a token and the others wait for
 * its record. Whatever the store does, the token is obtained as without it.
 */
export class SharedOrigin {
  readonly #surroundings: Surroundings
  readonly #records: SharedRecords
  readonly #origin: TokenOrigin

  constructor(surroundings: Surroundings, records: SharedRecords, origin: TokenOrigin) {
    this.#surroundings = surroundings
    this.#records = records
    this.#origin = origin
  }

  /** The cached rejection of the same order, if there is one; sends no request. */
  rejection(order: TokenOrder): BrokerError | undefined {
    return this.#origin.rejection(order)
  }

  /** Obtains a token like {@link TokenOrigin.obtain}, newer than the one that it replaces. */
  obtain(wanted: WantedToken): Promise<ObtainedToken> {
    const shared = this.#records.current
    return shared === undefined ? this.#fromDex(wanted) : this.#throughStore(wanted, shared)
  }

  async #throughStore(wanted: WantedToken, shared: SharedStore): Promise<ObtainedToken> {
    const { order } = wanted
    const record = order.recordOf(this.#origin.responseFields)
    const search = new RecordSearch(this.#surroundings, { records: this.#records, shared }, wanted, record)
    const found = await search.run()
    if (found !== undefined && !(found instanceof HeldLease)) return this.#fromStore(order, found)
    try {
      return await this.#underLease(wanted, found)
    } catch (error) {
      const fence = found?.mark.fence ?? wanted.replaced?.mark?.fence
      // Without an earlier record there is nothing to forget: made-up credentials would fill the log of the store.
      if (fence !== undefined && search.hasSeenRecord && BrokerError.is(error) && endsToken(order, error)) {
        this.#records.forget({ names: search.names, fence }, wanted.replaced?.life.livesUntil)
      }
      found?.release()
      throw error
    }
  }

  async #underLease(wanted: WantedToken, lease: HeldLease | undefined): Promise<ObtainedToken> {
    const obtained = await this.#fromDex(wanted)
    if (lease === undefined) return obtained
    lease.keep(obtained, usableMs(wanted.lifeOf(obtained), this.#surroundings.clock))
    return { ...obtained, mark: lease.mark }
  }

  async #fromDex({ order, controller, onFirstFailure, parent }: WantedToken): Promise<ObtainedToken> {
    const obtained = await this.#origin.obtain(order, controller, onFirstFailure, parent)
    this.#records.issued(obtained.response.accessToken)
    return obtained
  }

  #fromStore({ credentials: { client, clientId } }: TokenOrder, obtained: ObtainedToken): ObtainedToken {
    const { logger, clock } = this.#surroundings
    const ageMs = Math.round(clock.monotonic() - obtained.requestedAt.monotonic)
    logger.debug({ client, clientId, ageMs }, 'token taken from the shared store')
    return obtained
  }
}
