import type { Broker, CheckRequest, MaybePromise, Verdict } from '@broker/core'

/** Called with each verdict and its request, for metrics and the log; must not throw. */
export type VerdictListener = (verdict: Verdict, request: CheckRequest) => void

/** Answers checks for every protocol: the broker decides, and the listener receives each verdict once. */
export class Checks {
  readonly #broker: Pick<Broker, 'decide'>
  readonly #onVerdict: VerdictListener

  constructor(broker: Pick<Broker, 'decide'>, onVerdict: VerdictListener) {
    this.#broker = broker
    this.#onVerdict = onVerdict
  }

  /** Decides like `decide` of the broker; rejects only with the reason of the caller's own abort. */
  decide(request: CheckRequest): MaybePromise<Verdict> {
    const verdict = this.#broker.decide(request)
    if (verdict instanceof Promise) return this.#decideLater(verdict, request)
    this.#onVerdict(verdict, request)
    return verdict
  }

  async #decideLater(waiting: Promise<Verdict>, request: CheckRequest): Promise<Verdict> {
    const verdict = await waiting
    this.#onVerdict(verdict, request)
    return verdict
  }
}
