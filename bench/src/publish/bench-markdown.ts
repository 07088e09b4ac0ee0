import type { BenchResult, LibraryResult, ModeResult, StartUpResult } from '../bench-result.ts'
import type { LongestTurn } from '../library/turn-meter.ts'
import { loadTable } from './load-table.ts'
import { cpu, mebibytes, ratio, table, withSpread } from './markdown-table.ts'

/** The figures of checks over HTTP, the library and starts, for docs/performance.md. */
export function benchMarkdown(result: BenchResult): string {
  const { machine, rounds, seconds, connections, modes, library, startUp } = result
  const sections = [
    `${machine.cores} cores (${machine.architecture}, ${machine.platform}), Node.js ${machine.node}; load by ${machine.loadGenerator}, ` +
      `over ${connections} connections; ${rounds} rounds of ${seconds} s each; CPU time and memory from ${machine.usageSource}.`,
    '![CPU time per check](performance.svg)',
    '### CPU time per check',
    cpuTable(modes),
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
        'turns over 5 ms',
      ],
      [
        longestTurnRow('while the cache fills, as fast as it can', fill),
        longestTurnRow('while each new token evicts one', evict),
        longestTurnRow('while all expired ones are removed', cleanUp),
      ],
    ),
  ]
}

function longestTurnRow(when: string, { wallMs, gcMs, ownMs, longTurns }: LongestTurn): string[] {
  return [when, ...[wallMs, gcMs, ownMs].map(ms => ms.toFixed(1)), String(longTurns)]
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
