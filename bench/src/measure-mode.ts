import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { BenchOptions } from './bench-options.ts'
import type { ContenderResult, ModeResult } from './bench-result.ts'
import {
  type Contender,
  type ContenderName,
  goServiceBinary,
  startBare,
  startGo,
  startOurs,
} from './contender.ts'
import type { DexProcess } from './dex-process.ts'
import { headersToRepeat } from './first-answer.ts'
import type { LoadGenerator, LoadResult } from './load/load.ts'
import { type ModeName, modes } from './mode.ts'
import { processUsage } from './process-usage.ts'
import { median, summarize } from './statistics.ts'

export interface Bench {
  readonly options: BenchOptions
  readonly dex: DexProcess
  readonly loadGenerator: LoadGenerator
  /** A folder for files that nobody needs afterwards. */
  readonly scratch: string
}

/** The result of one server in one round. */
interface Round extends LoadResult {
  readonly cpuSeconds: number
  readonly rssBytes: number
  readonly peakRssBytes: number | undefined
}

/** Measures all servers in turn, round by round, so that whatever else the machine does hits all of them. */
export async function measureMode(name: ModeName, bench: Bench): Promise<ModeResult> {
  const { options, dex, scratch } = bench
  const mode = modes[name]
  const requestsFile = path.join(scratch, `${name}.requests`)
  const requestCount = await mode.writeRequests(requestsFile, dex, options)
  const environment = { DEX_TOKEN_URL: dex.tokenEndpoint, ...mode.environment(dex, scratch) }

  await using stack = new AsyncDisposableStack()
  const ours = stack.use(await startOurs(environment))
  const contenders: Contender[] = [ours]
  // There is nothing to compare a server that asks nobody with one that asks Dex each time.
  if (!mode.asksDex)
    contenders.push(
      stack.use(await startBare(await headersToRepeat(ours.port, firstRequestIn(requestsFile)))),
    )
  // The Go service has no rules, and nothing to compare.
  if (goServiceBinary !== undefined && name !== 'rules') {
    contenders.push(stack.use(await startGo(goServiceBinary, environment)))
  }

  const positions = new Map<ContenderName, number>()
  const run = async (contender: Contender, seconds: number): Promise<Round> => {
    const firstRequest = positions.get(contender.name) ?? 0
    const tokenRequestsBefore = await dex.tokenRequests()
    const before = processUsage(contender.pid)
    const { port } = contender
    const { connections } = options
    const result = await bench.loadGenerator.run({ port, requestsFile, firstRequest, connections, seconds })
    const after = processUsage(contender.pid)
    positions.set(contender.name, (firstRequest + result.requests + connections) % requestCount)
    const tokenRequests = (await dex.tokenRequests()) - tokenRequestsBefore
    assertSound(contender.name, result, { tokenRequests, asksDex: mode.asksDex ?? false })
    return { ...result, ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds }
  }

  for (const contender of contenders) {
    if (!mode.asksDex) await fetchTokens(contender, bench, requestsFile)
    await run(contender, options.warmUpSeconds)
  }
  const rounds = new Map<ContenderName, Round[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) {
      rounds.get(contender.name)?.push(await run(contender, options.seconds))
    }
  }
  return {
    mode: name,
    title: mode.title,
    contenders: Object.fromEntries([...rounds].map(([contender, all]) => [contender, resultOf(all)])),
    ratios: ratiosOf(rounds),
  }
}

function firstRequestIn(requestsFile: string): string {
  return readFileSync(requestsFile, 'latin1').split('\0', 1)[0] ?? ''
}

/** Sends checks until none of them needs Dex. */
async function fetchTokens({ name, port }: Contender, bench: Bench, requestsFile: string): Promise<void> {
  const { loadGenerator, dex } = bench
  const { connections } = bench.options
  for (let attempt = 0; attempt < 10; attempt++) {
    const before = await dex.tokenRequests()
    const { errors, requests } = await loadGenerator.run({
      ...{ port, requestsFile, connections },
      firstRequest: 0,
      seconds: 1,
    })
    if (errors > 0) throw new Error(`${name}: ${errors} of ${requests} checks failed while warming up`)
    if ((await dex.tokenRequests()) === before) return
  }
}

function assertSound(
  name: ContenderName,
  { requests, errors }: LoadResult,
  { tokenRequests, asksDex }: { tokenRequests: number; asksDex: boolean },
): void {
  if (requests === 0) throw new Error(`${name}: no check was answered`)
  if (errors > 0) throw new Error(`${name}: ${errors} of ${requests} checks were not answered with 200`)
  if (asksDex && tokenRequests < requests) {
    throw new Error(`${name}: ${requests} checks, but only ${tokenRequests} token requests`)
  }
  if (!asksDex && tokenRequests > 0) {
    throw new Error(`${name}: ${tokenRequests} token requests, but every token should be cached`)
  }
}

function resultOf(rounds: readonly Round[]): ContenderResult {
  const of = (value: (round: Round) => number) => rounds.map(value)
  return {
    cpuMicrosPerCheck: summarize(of(microsPerCheck)),
    checksPerCpuSecond: summarize(of(round => round.requests / round.cpuSeconds)),
    checksPerSecond: summarize(of(round => round.requests / round.seconds)),
    latencyMs: {
      p50: median(of(round => round.latencyMs.p50)),
      p99: median(of(round => round.latencyMs.p99)),
      p999: median(of(round => round.latencyMs.p999)),
    },
    rssBytes: rounds.at(-1)?.rssBytes ?? 0,
    peakRssBytes: rounds.at(-1)?.peakRssBytes,
    checks: of(round => round.requests).reduce((sum, count) => sum + count, 0),
    busy: median(of(round => round.cpuSeconds / round.seconds)),
    generatorBusy: median(of(round => round.generatorCpuSeconds / round.seconds)),
  }
}

function microsPerCheck({ cpuSeconds, requests }: Round): number {
  return (cpuSeconds * 1e6) / requests
}

/** Ratios of the same round: what disturbed one of them is likely to have disturbed the other. */
function ratiosOf(rounds: ReadonlyMap<ContenderName, readonly Round[]>): ModeResult['ratios'] {
  const ours = rounds.get('ours') ?? []
  const others = [...rounds].filter(([name]) => name !== 'ours')
  return Object.fromEntries(
    others.map(([name, theirs]) => [
      name,
      summarize(
        theirs.flatMap((round, index) => {
          const own = ours[index]
          return own === undefined ? [] : [microsPerCheck(own) / microsPerCheck(round)]
        }),
      ),
    ]),
  )
}
