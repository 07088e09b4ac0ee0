import {
  type Broker,
  type BrokerError,
  type CheckRequest,
  type MaybePromise,
  type RefusalVerdict,
  refusalOf,
  type Verdict,
} from '@broker/core'

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

/** Answers checks of one protocol: the broker decides, and the listener receives each verdict once. */
export class Checks {
  readonly #broker: Pick<Broker, 'decide'>
  readonly #protocol: CheckProtocol
  readonly #onVerdict: VerdictListener

  constructor(broker: Pick<Broker, 'decide'>, protocol: CheckProtocol, onVerdict: VerdictListener) {
    this.#broker = broker
    this.#protocol = protocol
    this.#onVerdict = onVerdict
  }

  /** Decides like `decide` of the broker; rejects only with the reason of the caller's own abort. */
  decide(request: ReceivedCheck): MaybePromise<Verdict> {
    const startedAt = performance.now()
    const verdict = this.#broker.decide(request)
    if (verdict instanceof Promise) return this.#decideLater(verdict, request, startedAt)
    this.#onVerdict(verdict, request, this.#protocol, performance.now() - startedAt)
    return verdict
  }

  /** Refuses a request that the broker does not see. */
  refuse(error: BrokerError, request: ReceivedCheck): RefusalVerdict {
    const verdict = refusalOf(error)
    this.#onVerdict(verdict, request, this.#protocol, undefined)
    return verdict
  }

  async #decideLater(waiting: Promise<Verdict>, request: CheckRequest, startedAt: number): Promise<Verdict> {
    const verdict = await waiting
    this.#onVerdict(verdict, request, this.#protocol, performance.now() - startedAt)
    return verdict
  }
}
