import { LRUCache } from 'lru-cache'
import type { BrokerError } from '../../shared/errors.ts'
import { isUnreached, networkFailureCode } from '../../shared/http/network-failure.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

/** Clients with a circuit of their own, at most: only those that have failed have one. */
const maxClients = 1_024

/** Whose attempt it is. */
export interface CircuitClient {
  /** What the requests of the client have in common. */
  readonly key: string
  /** For the log. */
  readonly clientId: string
  /** Whether Dex has accepted the client before. */
  readonly isAccepted: boolean
}

/** An attempt that was let through; one of the two has to be called. */
export interface Attempt {
  succeeded(): void
  failed(failure: BrokerError): void
}

/**
 * Who is kept away from a Dex that cannot answer. A client that fails alone has a circuit of its own; the clients that
 * Dex has accepted share one, and strangers another one, so that no stranger's failures deny a client its token. What
 * never reached Dex is nobody's fault and counts for both.
 */
export class Circuits {
  readonly #surroundings: Surroundings
  readonly #accepted: CircuitBreaker
  readonly #strangers: CircuitBreaker
  readonly #ofClients = new LRUCache<string, CircuitBreaker>({ max: maxClients })

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#accepted = new CircuitBreaker(surroundings.clock)
    this.#strangers = new CircuitBreaker(surroundings.clock)
  }

  /** Milliseconds until a client may try; 0 while it may. */
  retryAfterMs(client: CircuitClient): number {
    const own = this.#ofClients.get(client.key)
    return Math.max(own?.retryAfterMs ?? 0, this.#sharedBy(client).retryAfterMs)
  }

  /** Resolves when the probe has ended for which a client has to wait, if there is one. */
  probe(client: CircuitClient): Promise<void> | undefined {
    return this.#ofClients.get(client.key)?.probe ?? this.#sharedBy(client).probe
  }

  /** Lets an attempt through, or not. */
  begin(client: CircuitClient): Attempt | undefined {
    const own = this.#ofClients.get(client.key)
    const shared = this.#sharedBy(client)
    if (own?.passes() === false || !shared.passes(client.key)) return undefined
    own?.begin()
    shared.begin(client.key)
    // A circuit that is made by this very failure begins with the same number.
    const periods = {
      own: own?.period ?? 0,
      accepted: this.#accepted.period,
      strangers: this.#strangers.period,
    }
    return {
      succeeded: () => this.#succeeded(client),
      failed: failure => this.#failed(client, failure, periods),
    }
  }

  #sharedBy({ isAccepted }: CircuitClient): CircuitBreaker {
    return isAccepted ? this.#accepted : this.#strangers
  }

  #succeeded(client: CircuitClient): void {
    // Its own circuit is kept: failures that come late must find the number under which they began.
    const closed = [this.#sharedBy(client).succeeded(), this.#ofClients.get(client.key)?.succeeded()]
    if (closed.includes(true)) this.#surroundings.logger.info({}, 'the token endpoint answers again')
  }

  #failed(
    client: CircuitClient,
    failure: BrokerError,
    periods: { own: number; accepted: number; strangers: number },
  ): void {
    // Who is told to slow down does so at once, also when nobody says for how long.
    const retryAfterMs = failure.retryAfterMs ?? (failure.upstreamStatus === 429 ? 0 : undefined)
    if (isUnreached(networkFailureCode(failure.cause))) {
      const opened = [
        this.#accepted.failed(undefined, periods.accepted),
        this.#strangers.failed(undefined, periods.strangers),
      ]
      if (opened.includes(true)) this.#logOpened(this.#accepted.retryAfterMs)
      return
    }
    const shared = this.#sharedBy(client)
    const period = client.isAccepted ? periods.accepted : periods.strangers
    if (shared.failed(retryAfterMs, period, client.key)) this.#logOpened(shared.retryAfterMs)
    if (this.#ownOf(client).failed(retryAfterMs, periods.own))
      this.#logOpened(this.retryAfterMs(client), client)
  }

  #ownOf({ key }: CircuitClient): CircuitBreaker {
    const known = this.#ofClients.get(key)
    if (known !== undefined) return known
    const breaker = new CircuitBreaker(this.#surroundings.clock)
    this.#ofClients.set(key, breaker)
    return breaker
  }

  #logOpened(pauseMs: number, client?: CircuitClient): void {
    const { logger } = this.#surroundings
    const retryAfterMs = Math.ceil(pauseMs)
    if (client === undefined) {
      logger.warn({ retryAfterMs }, 'token endpoint is failing; circuit opened')
    } else {
      logger.warn(
        { retryAfterMs, clientId: client.clientId },
        'token requests of one client fail; circuit opened',
      )
    }
  }
}
