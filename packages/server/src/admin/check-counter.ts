import { type BrokerErrorCode, brokerErrorCodes, type Verdict } from '@broker/core'
import { Counter, type Registry } from 'prom-client'
import type { CheckProtocol } from '../checks.ts'

type Outcome = 'allow' | BrokerErrorCode
type Series = Readonly<Record<Outcome, Counter.Internal>>

const outcomes = ['allow', ...(Object.keys(brokerErrorCodes) as BrokerErrorCode[])] as const

/** Counts verdicts by outcome and protocol. */
export class CheckCounter {
  readonly #counter: Counter
  /** Looked up once, because every check increments one of them. */
  readonly #series: Readonly<Record<CheckProtocol, Series>>

  constructor(name: string, registry: Registry) {
    this.#counter = new Counter({
      name,
      help: 'Checks answered, by outcome: allow, or the error code of the refusal; and by the protocol of the proxy.',
      labelNames: ['outcome', 'protocol'],
      registers: [registry],
    })
    this.#series = { http: this.#seriesOf('http'), grpc: this.#seriesOf('grpc') }
  }

  /** Makes the series of a protocol visible, with zeros: an alert on an increase needs them before the first failure. */
  announce(protocol: CheckProtocol): void {
    for (const outcome of outcomes) this.#series[protocol][outcome].inc(0)
  }

  count(verdict: Verdict, protocol: CheckProtocol): void {
    this.#series[protocol][verdict.outcome === 'allow' ? 'allow' : verdict.code].inc()
  }

  #seriesOf(protocol: CheckProtocol): Series {
    const entries = outcomes.map(outcome => [outcome, this.#counter.labels(outcome, protocol)] as const)
    return Object.fromEntries(entries) as unknown as Series
  }
}
