import type { ContenderResult, ModeResult } from './bench-result.ts'
import type { ContenderName } from './contender.ts'
import type { Summary } from './statistics.ts'

const mib = 1024 * 1024

const labels: Readonly<Record<ContenderName, string>> = {
  ours: 'ours',
  bare: 'bare node:http',
  go: 'Go service',
  http: 'ours over HTTP',
  'grpc-go': 'bare grpc-go',
}

const columns = [
  '',
  'µs CPU',
  'spread',
  'ours is',
  'spread',
  '/CPU s',
  '/s',
  'p50',
  'p99',
  'p99.9',
  'RSS',
  'peak',
  'busy',
  'load gen',
]

/** The table of one mode. */
export function terminalTable({ title, contenders, ratios }: ModeResult): string {
  const rows = Object.entries(contenders).map(([name, result]) =>
    row(name as ContenderName, result, ratios[name as Exclude<ContenderName, 'ours'>]),
  )
  const table = [columns, ...rows]
  const widths = columns.map((_, column) => Math.max(...table.map(cells => cells[column]?.length ?? 0)))
  const lines = table.map(cells =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  return [title, ...lines.map(line => `  ${line}`)].join('\n')
}

function row(name: ContenderName, result: ContenderResult, ratio: Summary | undefined): string[] {
  const { cpuMicrosPerCheck, checksPerCpuSecond, checksPerSecond, latencyMs } = result
  return [
    labels[name],
    cpuMicrosPerCheck.median.toFixed(1),
    spread(cpuMicrosPerCheck, 1),
    ratio === undefined ? '' : `x ${ratio.median.toFixed(2)}`,
    ratio === undefined ? '' : spread(ratio, 2),
    checksPerCpuSecond.median.toFixed(0),
    checksPerSecond.median.toFixed(0),
    milliseconds(latencyMs.p50),
    milliseconds(latencyMs.p99),
    milliseconds(latencyMs.p999),
    mebibytes(result.rssBytes),
    mebibytes(result.peakRssBytes),
    percent(result.busy),
    percent(result.generatorBusy),
  ]
}

function spread({ min, max }: Summary, digits: number): string {
  return `${min.toFixed(digits)}-${max.toFixed(digits)}`
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? '?' : `${(bytes / mib).toFixed(0)} MiB`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
