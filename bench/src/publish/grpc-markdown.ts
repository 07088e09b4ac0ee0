import type { BenchResult, ModeResult, ThroughEnvoyResult } from '../bench-result.ts'
import { grpcLoad } from '../load/grpc-load.ts'
import { loadTable } from './load-table.ts'
import { cpu, ratio, table, withSpread } from './markdown-table.ts'

/** The figures of checks over gRPC and of requests through Envoy, for docs/performance.md. */
export function grpcMarkdown(result: BenchResult): string {
  const { machine, rounds, seconds, connections, modes, throughEnvoy } = result
  return [
    `${machine.cores} cores (${machine.architecture}, ${machine.platform}), Node.js ${machine.node}; load by ${grpcLoad.name} over gRPC, ` +
      `by ${machine.loadGenerator} over HTTP. ${connections} checks at a time, ${rounds} rounds of ${seconds} s each.`,
    ...(modes.length > 0 ? [cpuTable(modes), loadTable(modes)] : []),
    ...(throughEnvoy === undefined ? [] : envoySections(throughEnvoy)),
  ].join('\n\n')
}

function cpuTable(modes: readonly ModeResult[]): string {
  const rows = modes.map(({ title, contenders, ratios }) => [
    title,
    cpu(contenders.ours),
    cpu(contenders.http),
    cpu(contenders['grpc-go']),
    ratio(ratios.http),
    ratio(ratios['grpc-go']),
  ])
  const head = [
    'µs per check: median (least-most)',
    'ours over gRPC',
    'ours over HTTP',
    'bare grpc-go',
    'gRPC / HTTP',
    'ours / grpc-go',
  ]
  return table(head, rows)
}

function envoySections({ ways }: ThroughEnvoyResult): string[] {
  const rows = ways.map(({ title, brokerMicros, envoyMicros, requestsPerSecond, latencyMs }) => [
    title,
    brokerMicros === undefined ? '–' : withSpread(brokerMicros, 1),
    withSpread(envoyMicros, 1),
    requestsPerSecond.median.toFixed(0),
    latencyMs.p50.toFixed(2),
    latencyMs.p99.toFixed(2),
  ])
  const head = [
    'a request through Envoy',
    'CPU of the broker, µs',
    'CPU of Envoy, µs',
    'requests/s',
    'p50 ms',
    'p99 ms',
  ]
  return ['Through Envoy; latency with one request at a time:', table(head, rows)]
}
