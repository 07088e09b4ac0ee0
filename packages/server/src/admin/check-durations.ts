import type { Verdict } from '@broker/core'
import type { Metric, Registry } from 'prom-client'
import type { CheckProtocol } from '../checks.ts'

/** `refused`: the caller has to act (4xx); `failed`: the operator or Dex has to (5xx). Codes would be twelve times as many series. */
type Kind = (typeof kinds)[number]
const kinds = ['allow', 'refused', 'failed'] as const

/** The upper bounds of the buckets, in milliseconds. A check with a cached token takes a fraction of the first. */
const boundsMs = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

interface Durations {
  /** Checks per bucket, not cumulative; the last one is beyond all bounds. */
  readonly counts: Float64Array
  /** One member, because a number in an array is changed in place. */
  readonly sumMs: Float64Array
}

/** A histogram of the time from a complete request to its verdict. Every check counts, so that labels are added only when Prometheus asks. */
export class CheckDurations {
  readonly name: string
  readonly help =
    'Time from a complete request of the proxy to its verdict, by outcome (allow, refused or failed) and by the protocol of the proxy.'
  readonly type = 'histogram'
  readonly labelNames: readonly string[] = ['outcome', 'protocol']
  readonly aggregator = 'sum'
  readonly #durations: Readonly<Record<CheckProtocol, Readonly<Record<Kind, Durations>>>> = {
    http: none(),
    grpc: none(),
  }
  readonly #shown = new Set<CheckProtocol>()

  constructor(name: string, registry: Registry) {
    this.name = name
    // prom-client's own histogram looks the labels up for each value. A registry reads only these members.
    registry.registerMetric(this as unknown as Metric)
  }

  /** Makes the series of a protocol visible, with zeros. */
  announce(protocol: CheckProtocol): void {
    this.#shown.add(protocol)
  }

  observe(verdict: Verdict, protocol: CheckProtocol, durationMs: number): void {
    const { counts, sumMs } = this.#durations[protocol][kindOf(verdict)]
    let bucket = 0
    while (bucket < boundsMs.length && durationMs > (boundsMs[bucket] as number)) bucket++
    counts[bucket] = (counts[bucket] as number) + 1
    sumMs[0] = (sumMs[0] as number) + durationMs
  }

  /** Called by the registry when Prometheus asks. */
  async get(): Promise<object> {
    const values = [...this.#shown].flatMap(protocol =>
      kinds.flatMap(outcome => this.#seriesOf({ outcome, protocol }, this.#durations[protocol][outcome])),
    )
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  reset(): void {
    for (const byKind of Object.values(this.#durations)) {
      for (const { counts, sumMs } of Object.values(byKind)) {
        counts.fill(0)
        sumMs.fill(0)
      }
    }
  }

  #seriesOf(labels: Readonly<Record<string, string>>, { counts, sumMs }: Durations): object[] {
    let count = 0
    const buckets = Array.from(counts, (checks, index) => {
      count += checks
      const boundMs = boundsMs[index]
      const le = boundMs === undefined ? '+Inf' : boundMs / 1000
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: (sumMs[0] as number) / 1000 },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}

function kindOf(verdict: Verdict): Kind {
  if (verdict.outcome === 'allow') return 'allow'
  return verdict.status < 500 ? 'refused' : 'failed'
}

function none(): Readonly<Record<Kind, Durations>> {
  const durations = () => ({ counts: new Float64Array(boundsMs.length + 1), sumMs: new Float64Array(1) })
  return { allow: durations(), refused: durations(), failed: durations() }
}
