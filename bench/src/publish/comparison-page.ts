import type { BenchResult } from '../bench-result.ts'
import type { Summary } from '../statistics.ts'
import { table } from './markdown-table.ts'
import { withRegion } from './page-region.ts'

const head = [
  'a request through Envoy',
  'added CPU of Envoy and broker, µs',
  'CPU, times no check',
  'added p50, ms',
  'added p99, ms',
] as const

/** Returns the text of docs/comparison.md with what each way through Envoy adds. Without such figures, the text stays as it is. */
export function comparisonPage(page: string, result: BenchResult): string {
  const { machine, rounds, seconds, connections, throughEnvoy } = result
  if (throughEnvoy === undefined) return page
  const rows = throughEnvoy.ways.flatMap(({ title, added }) =>
    added === undefined
      ? []
      : [
          [
            title,
            spread(added.cpuMicros, 1),
            spread(added.cpuRatio, 2),
            spread(added.p50Ms, 2),
            spread(added.p99Ms, 2),
          ],
        ],
  )
  const content = [
    `${machine.cores} cores (${machine.architecture}, ${machine.platform}), Node.js ${machine.node}; ${rounds} rounds. CPU: ` +
      `${seconds} s over ${connections} connections; latency: ${seconds} s of one request at a time.`,
    table(head, rows),
  ]
  return withRegion(page, 'bench-comparison', content.join('\n\n'))
}

/** Differences can be negative, so no hyphen is between the bounds. */
function spread({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`
}
