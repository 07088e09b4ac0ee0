import type {
  BenchResult,
  ContenderResult,
  LibraryResult,
  ModeResult,
  StartUpResult,
  ThroughEnvoyResult,
} from '../bench-result.ts'
import type { LongestTurn } from '../library/turn-meter.ts'
import { type ModeName, modes as modeDefinitions } from '../mode.ts'
import type { Summary } from '../statistics.ts'

const mib = 1024 * 1024

/** The generated part of docs/performance.md: what was measured in one run, and what follows from it. */
export function benchMarkdown(result: BenchResult): string {
  const { machine, rounds, seconds, connections, modes, library, startUp, throughEnvoy } = result
  const sections = [
    `${machine.cores} cores (${machine.architecture}, ${machine.platform}), Node.js ${machine.node}; load by ${machine.loadGenerator}, ` +
      `over ${connections} connections; ${rounds} rounds of ${seconds} s each; CPU time and memory from ${machine.usageSource}.`,
    '![CPU time per check](performance.svg)',
    '### CPU time per check',
    cpuTable(modes.filter(({ mode }) => !isOverGrpc(mode))),
    ...grpcSections(modes.filter(({ mode }) => isOverGrpc(mode))),
    ...envoySections(throughEnvoy),
    '### Throughput, latency and memory',
    'Throughput and latency under more load than the server can handle, on a machine that it shares with the load generator.',
    loadTable(modes),
  ]
  if (library !== undefined) sections.push('### The library', ...librarySections(library))
  if (startUp !== undefined) sections.push('### Start-up', startUpTable(startUp))
  sections.push('### Sizing', sizing(result))
  return sections.join('\n\n')
}

function cpuTable(modes: readonly ModeResult[]): string {
  const rows = modes.map(({ title, contenders: { ours, bare, go }, ratios }) => [
    title,
    cpu(ours),
    cpu(bare),
    cpu(go),
    ratio(ratios.bare),
    ratio(ratios.go),
  ])
  return table(
    [
      'µs per check: median (least-most)',
      'ours',
      'bare `node:http`',
      'Go service',
      'ours / bare',
      'ours / Go',
    ],
    rows,
  )
}

function isOverGrpc(mode: ModeName): boolean {
  return modeDefinitions[mode].overGrpc ?? false
}

function grpcSections(modes: readonly ModeResult[]): string[] {
  if (modes.length === 0) return []
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
  return ['### Checks over gRPC', table(head, rows)]
}

function envoySections(result: ThroughEnvoyResult | undefined): string[] {
  if (result === undefined) return []
  const rows = result.ways.map(({ title, brokerMicros, envoyMicros, requestsPerSecond, latencyMs }) => [
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
  return ['### Through Envoy', table(head, rows), 'Latency with one request at a time.']
}

function cpu(result: ContenderResult | undefined): string {
  return result === undefined ? '–' : withSpread(result.cpuMicrosPerCheck, 1)
}

function ratio(summary: Summary | undefined): string {
  return summary === undefined ? '–' : withSpread(summary, 2)
}

function withSpread({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

const contenderLabels = {
  ours: 'ours',
  bare: 'bare `node:http`',
  go: 'Go service',
  http: 'ours over HTTP',
  'grpc-go': 'bare grpc-go',
} as const

function loadTable(modes: readonly ModeResult[]): string {
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

function librarySections({ calls, cache }: LibraryResult): string[] {
  const microseconds = (nanoseconds: number) => (nanoseconds / 1000).toFixed(2)
  const { fill, evict, cleanUp } = cache.longestTurn
  return [
    table(
      ['call (wall clock, one process)', 'best µs', 'median µs', 'p99 µs'],
      calls.map(({ name, bestNs, medianNs, p99Ns }) => [
        name,
        ...[bestNs, medianNs, p99Ns].map(microseconds),
      ]),
    ),
    `${cache.tokens} cached tokens of ${cache.tokenCharacters.toFixed(0)} characters take ${cache.overheadBytes.toFixed(0)} bytes each ` +
      `beside the token itself, and ${cache.overheadBytesInUse.toFixed(0)} once it has been handed out.`,
    table(
      [
        'the longest turn of the event loop, the least of five runs',
        'ms',
        'of which garbage collection',
        'the longest without it',
      ],
      [
        longestTurnRow('while the cache fills, as fast as it can', fill),
        longestTurnRow('while each new token evicts one', evict),
        longestTurnRow('while all expired ones are removed', cleanUp),
      ],
    ),
  ]
}

function longestTurnRow(when: string, { wallMs, gcMs, ownMs }: LongestTurn): string[] {
  return [when, ...[wallMs, gcMs, ownMs].map(ms => ms.toFixed(1))]
}

function startUpTable({ starts, ours, go }: StartUpResult): string {
  const rows = Object.entries({ ours, ...(go && { 'Go service': go }) }).map(([name, figures]) => [
    name,
    withSpread(figures.milliseconds, 0),
    withSpread(figures.cpuMilliseconds, 0),
    mebibytes(figures.rssBytes.median),
  ])
  const head = [`from the start to the first answered check, ${starts} starts`, 'ms', 'CPU ms', 'RSS MiB']
  return table(head, rows)
}

function sizing({ modes, library }: BenchResult): string {
  const rows = modes.flatMap(({ title, contenders: { ours } }) =>
    ours === undefined ? [] : [[title, (ours.cpuMicrosPerCheck.median / 1000).toFixed(3)]],
  )
  const cpuTable = table(['for 1,000 checks a second', 'CPU cores'], rows)
  if (library === undefined) return cpuTable
  const { tokenCharacters, overheadBytesInUse } = library.cache
  const bytes = (tokenCharacters + overheadBytesInUse) * 10_000
  return `${cpuTable}\n\n10,000 clients whose tokens are cached and in use: ${mebibytes(bytes)} MiB of heap (tokens of ${tokenCharacters.toFixed(0)} characters).`
}

function mebibytes(bytes: number): string {
  return (bytes / mib).toFixed(0)
}

function share(value: number): string {
  return `${(value * 100).toFixed(0)} %`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}
