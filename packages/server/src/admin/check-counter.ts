import { type BrokerErrorCode, brokerErrorCodes, type Verdict } from '@broker/core'
import { Counter, type Registry } from 'prom-client'
import type { CheckProtocol } from '../checks.ts'

type Outcome = 'allow' | BrokerErrorCode
type Counts = Record<Outcome, number>

const outcomes = ['allow', ...(Object.keys(brokerErrorCodes) as BrokerErrorCode[])] as const

/** Counts verdicts by outcome and protocol. Every check counts, so the labels are added only when Prometheus asks. */
export class CheckCounter {
  readonly #counts: Readonly<Record<CheckProtocol, Counts>> = { http: zeros(), grpc: zeros() }
  /** The protocols with series. */
  readonly #shown = new Set<CheckProtocol>()

  constructor(name: string, registry: Registry) {
    const [counts, shown] = [this.#counts, this.#shown]
    new Counter({
      name,
      help: 'Checks answered, by outcome: allow, or the error code of the refusal; and by the protocol of the proxy.',
      labelNames: ['outcome', 'protocol'],
      registers: [registry],
      collect() {
        this.reset()
        for (const protocol of shown)
          for (const outcome of outcomes) this.inc({ outcome, protocol }, counts[protocol][outcome])
      },
    })
  }

  /** Makes the series of a protocol visible, with zeros: an alert on an increase needs them before the first failure. */
  announce(protocol: CheckProtocol): void {
    this.#shown.add(protocol)
  }

  count(verdict: Verdict, protocol: CheckProtocol): void {
    this.#counts[protocol][verdict.outcome === 'allow' ? 'allow' : verdict.code]++
  }
}

function zeros(): Counts {
  return Object.fromEntries(outcomes.map(outcome => [outcome, 0])) as Counts
}
