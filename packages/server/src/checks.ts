import {
  type Broker,
  type BrokerError,
  type CheckFacts,
  type CheckRequest,
  type MaybePromise,
  type RefusalVerdict,
  refusalOf,
  type Verdict,
} from '@broker/core'
import { type CheckLogFields, logFieldsOf } from './log-fields.ts'

/** The protocols by which a proxy asks for checks. */
export type CheckProtocol = 'http' | 'grpc'

/** A check as a listener receives it. */
export interface ReceivedCheck extends CheckRequest {
  /** The header lines of the proxy's own request, where the client's are in its message. */
  readonly proxyHeaders?: readonly string[] | undefined
}

/**
 * Called with each verdict, its request and its protocol, for metrics and the log; must not throw. `durationMs` is the time that
 * the broker took for it, `undefined` for a request that it did not see.
 */
export type VerdictListener = (
  verdict: Verdict,
  request: CheckRequest,
  protocol: CheckProtocol,
  durationMs: number | undefined,
) => void

/** Receives what became of each check. */
export interface CheckListener {
  readonly onVerdict: VerdictListener
  /** Called before `onVerdict` with the error of a request that the broker does not see. */
  readonly onUnseen?: (error: BrokerError, request: CheckRequest) => void
  /** Whether facts are wanted, which cost every check. */
  readonly wantsDetails: boolean
}

/** The parts of a broker that checks need. */
export type CheckBroker = Pick<Broker, 'decide'> & Partial<Pick<Broker, 'credentialHeaders'>>

/** Answers checks of one protocol: the broker decides, and the listener receives each verdict once. */
export class Checks {
  readonly #broker: CheckBroker
  readonly #protocol: CheckProtocol
  readonly #listener: CheckListener

  constructor(broker: CheckBroker, protocol: CheckProtocol, listener: CheckListener) {
    this.#broker = broker
    this.#protocol = protocol
    this.#listener = listener
  }

  /** Returns an object for the facts about the next check, if they are wanted. */
  newFacts(): CheckFacts | undefined {
    return this.#listener.wantsDetails ? {} : undefined
  }

  /** Returns the fields for the log lines of a request. */
  logFieldsOf(request: Pick<ReceivedCheck, 'headers' | 'proxyHeaders'>): CheckLogFields {
    return logFieldsOf(request, this.#protocol, this.#broker.credentialHeaders ?? [])
  }

  /** Decides like `decide` of the broker; rejects only with the reason of the caller's own abort. */
  decide(request: ReceivedCheck): MaybePromise<Verdict> {
    const startedAt = performance.now()
    const verdict = this.#broker.decide(request)
    if (verdict instanceof Promise) return this.#decideLater(verdict, request, startedAt)
    this.#listener.onVerdict(verdict, request, this.#protocol, performance.now() - startedAt)
    return verdict
  }

  /** Refuses a request that the broker does not see. */
  refuse(error: BrokerError, request: ReceivedCheck): RefusalVerdict {
    const verdict = refusalOf(error)
    this.#listener.onUnseen?.(error, request)
    this.#listener.onVerdict(verdict, request, this.#protocol, undefined)
    return verdict
  }

  async #decideLater(waiting: Promise<Verdict>, request: CheckRequest, startedAt: number): Promise<Verdict> {
    const verdict = await waiting
    this.#listener.onVerdict(verdict, request, this.#protocol, performance.now() - startedAt)
    return verdict
  }
}
