import { boundedMap } from '../../shared/bounded-map.ts'
import { BrokerError } from '../../shared/errors.ts'
import { isUnreached, networkFailureCode } from '../../shared/http/network-failure.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { CircuitStatus } from '../../status/circuit-status.ts'
import type { TokenEndpointStatus } from '../../status/issuer-status.ts'
import { Circuit } from './circuit.ts'

/** Limit of clients with a circuit; only clients that failed have one. */
const maxClients = 1_024

/** The client that makes an attempt. */
export interface CircuitClient {
  /** Identifies the client and its secret. */
  readonly key: string
  /** For the log. */
  readonly clientId: string
  readonly group: CircuitGroup
}

/** The clients that share a circuit: those that Dex has accepted before, those that it has not, and users' exchanges. */
export type CircuitGroup = 'accepted' | 'unknown' | 'exchange'

/** The periods of circuits when an attempt began. */
type Periods = Readonly<Record<CircuitGroup | 'own', number>>

/** An attempt that may be made; exactly one of the two methods must be called. */
export interface Attempt {
  succeeded(): void
  failed(failure: BrokerError): void
}

/**
 * The circuits in front of a token endpoint. Accepted clients share one circuit, unknown clients another and exchanges a third, so
 * that failures of unknown clients and of users' identity providers deny no accepted client its token. Each client that fails also
 * has a circuit for itself. An attempt that never reached Dex counts for all shared circuits.
 */
export class Circuits {
  readonly #surroundings: Surroundings
  readonly #shared: Readonly<Record<CircuitGroup, Circuit>>
  readonly #ofClients = boundedMap<Circuit>(maxClients)

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    const { clock } = surroundings
    this.#shared = {
      accepted: new Circuit(clock),
      unknown: new Circuit(clock),
      exchange: new Circuit(clock),
    }
  }

  status(): TokenEndpointStatus['circuits'] {
    const { accepted, unknown, exchange } = this.#shared
    return {
      accepted: accepted.status(this.#surroundings),
      unknown: unknown.status(this.#surroundings),
      exchange: exchange.status(this.#surroundings),
    }
  }

  /** The circuit of one client alone; `undefined` while it has none. */
  statusOfClient(key: string): CircuitStatus | undefined {
    // `peek`: looking must keep no circuit from eviction.
    return this.#ofClients.peek(key)?.status(this.#surroundings)
  }

  /** Milliseconds until a client may try; 0 while it may. */
  retryAfterMs(client: CircuitClient): number {
    const own = this.#ofClients.get(client.key)
    return Math.max(own?.breaker.retryAfterMs ?? 0, this.#sharedBy(client).breaker.retryAfterMs)
  }

  /** Resolves when the probe ends that a client has to wait for; `undefined` when there is none. */
  probe(client: CircuitClient): Promise<void> | undefined {
    return this.#ofClients.get(client.key)?.breaker.probe ?? this.#sharedBy(client).breaker.probe
  }

  /** The error for a client whose circuit is open, with hint and request of the failure that opened it. */
  refusal(client: CircuitClient): BrokerError {
    const own = this.#ofClients.get(client.key)
    const { hint, upstreamRequest } = own?.openedBy ?? this.#sharedBy(client).openedBy ?? {}
    const failure = new BrokerError('overloaded', 'the token endpoint is failing; the circuit is open', {
      retryAfterMs: this.retryAfterMs(client),
      transient: true,
      hint,
      upstreamRequest,
    })
    this.#claim(client, failure)
    return failure
  }

  /** Counts lookups that fail with this error for the outages of a client's circuits. */
  #claim(client: CircuitClient, failure: BrokerError): void {
    this.#sharedBy(client).outage.claim(failure)
    this.#ofClients.get(client.key)?.outage.claim(failure)
  }

  /** Starts an attempt; `undefined` while a circuit is open. */
  begin(client: CircuitClient): Attempt | undefined {
    const own = this.#ofClients.get(client.key)?.breaker
    const shared = this.#sharedBy(client).breaker
    if (own?.passes() === false || !shared.passes(client.key)) return undefined
    own?.begin()
    shared.begin(client.key)
    // A circuit that this attempt's failure creates starts with period 0 as well.
    const periods: Periods = {
      own: own?.period ?? 0,
      accepted: this.#shared.accepted.breaker.period,
      unknown: this.#shared.unknown.breaker.period,
      exchange: this.#shared.exchange.breaker.period,
    }
    return {
      succeeded: () => this.#succeeded(client),
      failed: failure => this.#failed(client, failure, periods),
    }
  }

  #sharedBy({ group }: CircuitClient): Circuit {
    return this.#shared[group]
  }

  #succeeded(client: CircuitClient): void {
    const shared = this.#sharedBy(client).succeeded(client.key)
    // The client's circuit stays: failures that come late must find the period in which they began.
    const own = this.#ofClients.get(client.key)?.succeeded(client.key)
    const { logger, sampler } = this.#surroundings
    const { group: clients } = client
    if (shared?.wasOpen) {
      logger.info({ clients, ...shared.report }, 'token endpoint answers again; circuit closed')
    } else if (own?.wasOpen) {
      const { clientId } = client
      logger.info({ clientId, ...own.report }, 'token requests of one client succeed again; circuit closed')
    } else if (shared !== undefined) {
      sampler.note('token_endpoint_recovered', count =>
        logger.info({ clients, ...shared.report, count }, 'token endpoint answers again'),
      )
    }
  }

  #failed(client: CircuitClient, failure: BrokerError, periods: Periods): void {
    // A 429 asks for a pause, also without `Retry-After`.
    const askedPauseMs = failure.retryAfterMs ?? (failure.upstreamStatus === 429 ? 0 : undefined)
    if (isUnreached(networkFailureCode(failure.cause))) {
      const { accepted, unknown, exchange } = this.#shared
      const opened = [
        accepted.failed(failure, { period: periods.accepted }),
        unknown.failed(failure, { period: periods.unknown }),
        exchange.failed(failure, { period: periods.exchange }),
      ]
      this.#claim(client, failure)
      if (opened.includes(true)) this.#logOpened(accepted.breaker.retryAfterMs)
      return
    }
    const { key, group } = client
    const shared = this.#sharedBy(client)
    const period = periods[group]
    // Two made-up clients must not bar all new ones for the minute that a 429 may ask for.
    const sharedPauseMs = group === 'accepted' || askedPauseMs === undefined ? askedPauseMs : 0
    if (shared.failed(failure, { period, client: key, askedPauseMs: sharedPauseMs })) {
      this.#logOpened(shared.breaker.retryAfterMs, { clients: group })
    }
    // Without a client's name its failures are enough to open it.
    if (this.#ownOf(client).failed(failure, { period: periods.own, askedPauseMs })) this.#logOpenedFor(client)
    this.#claim(client, failure)
  }

  #ownOf({ key }: CircuitClient): Circuit {
    const known = this.#ofClients.get(key)
    if (known !== undefined) return known
    const circuit = new Circuit(this.#surroundings.clock)
    this.#ofClients.set(key, circuit)
    return circuit
  }

  #logOpened(retryAfterMs: number, group: { readonly clients?: string } = {}): void {
    this.#surroundings.logger.warn(
      { ...group, retryAfterMs: Math.ceil(retryAfterMs) },
      'token endpoint is failing; circuit opened',
    )
  }

  #logOpenedFor(client: CircuitClient): void {
    this.#surroundings.logger.warn(
      { clientId: client.clientId, retryAfterMs: Math.ceil(this.retryAfterMs(client)) },
      'token requests of one client fail; circuit opened',
    )
  }
}
