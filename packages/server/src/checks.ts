import type { Broker, CheckRequest, MaybePromise, Verdict } from '@broker/core'

/** Called with each verdict, for metrics and the log; must not throw. */
export type VerdictListener = (verdict: Verdict) => void

/** Checks as every protocol answers them: the broker decides, and whoever counts and logs hears of each verdict once. */
export class Checks {
  readonly #broker: Pick<Broker, 'decide'>
  readonly #onVerdict: VerdictListener

  constructor(broker: Pick<Broker, 'decide'>, onVerdict: VerdictListener) {
    this.#broker = broker
    this.#onVerdict = onVerdict
  }

  /** As `decide` of the broker: rejects only with the reason of the caller's own abort. */
  decide(request: CheckRequest): MaybePromise<Verdict> {
    const verdict = this.#broker.decide(request)
    if (verdict instanceof Promise) return this.#decideLater(verdict)
    this.#onVerdict(verdict)
    return verdict
  }

  async #decideLater(waiting: Promise<Verdict>): Promise<Verdict> {
    const verdict = await waiting
    this.#onVerdict(verdict)
    return verdict
  }
}
