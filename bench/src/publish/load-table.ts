import type { ModeResult } from '../bench-result.ts'
import { mebibytes, share, table } from './markdown-table.ts'

const contenderLabels = {
  ours: 'ours',
  bare: 'bare `node:http`',
  go: 'Go service',
  http: 'ours over HTTP',
  'grpc-go': 'bare grpc-go',
} as const

/** A row for each server in each mode: what it answered under full load, how fast, and with how much memory. */
export function loadTable(modes: readonly ModeResult[]): string {
  const rows = modes.flatMap(({ title, contenders }) =>
    Object.entries(contenders).map(([name, result]) => [
      title,
      contenderLabels[name as keyof typeof contenderLabels],
      result.checksPerCpuSecond.median.toFixed(0),
      result.checksPerSecond.median.toFixed(0),
      ...[result.latencyMs.p50, result.latencyMs.p99, result.latencyMs.p999].map(value => value.toFixed(2)),
      mebibytes(result.rssBytes),
      result.peakRssBytes === undefined ? '–' : mebibytes(result.peakRssBytes),
      share(result.busy),
      share(result.generatorBusy),
    ]),
  )
  const head = [
    '',
    'server',
    'checks per CPU second',
    'checks/s',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'RSS MiB',
    'peak MiB',
    'CPU of the server',
    'CPU of the load',
  ]
  return table(head, rows)
}
