import type { TokenOrder } from '../clients/token-order.ts'
import type { Clock } from '../shared/clock.ts'
import type { BrokerError } from '../shared/errors.ts'
import { Outage } from '../shared/outage.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { ClientStatus } from '../status/client-status.ts'

interface History {
  readonly outage: Outage
  lastIssuedAt: number | undefined
}

/** The outcomes of the token requests of each configured client, by its name. Callers' own clients have no history. */
export class ClientHistories {
  readonly #clock: Clock
  readonly #surroundings: Surroundings
  readonly #histories = new Map<string, History>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#clock = surroundings.clock
  }

  /** Notes a token. It ends the outage of its client. */
  issued(order: TokenOrder): void {
    const history = this.#of(order)
    if (history === undefined) return
    history.lastIssuedAt = this.#clock.wall()
    history.outage.end()
  }

  /** Notes a failed request. Ignores refusals without a request, and of users. */
  failed(order: TokenOrder, failure: BrokerError): void {
    if (failure.code === 'overloaded' || failure.code === 'forbidden') return
    this.#of(order)?.outage.attemptFailed(failure)
  }

  /** Counts a caller's lookup that ended without a token. */
  lookupFailed(order: TokenOrder): void {
    this.#of(order)?.outage.lookupsFailed(1)
  }

  status(name: string): Pick<ClientStatus, 'lastIssuedAt' | 'outage'> {
    const history = this.#histories.get(name)
    return { lastIssuedAt: history?.lastIssuedAt, outage: history?.outage.status(this.#surroundings) }
  }

  /** Forgets all clients but these. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#histories.keys()) if (!names.has(name)) this.#histories.delete(name)
  }

  #of({ credentials: { configured, client = 'default' } }: TokenOrder): History | undefined {
    if (!configured) return undefined
    const known = this.#histories.get(client)
    if (known !== undefined) return known
    const history: History = { outage: new Outage(this.#clock), lastIssuedAt: undefined }
    this.#histories.set(client, history)
    return history
  }
}
