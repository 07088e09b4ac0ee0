import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { BenchOptions } from './bench-options.ts'
import type { ContenderResult, ModeResult } from './bench-result.ts'
import {
  type Contender,
  type ContenderName,
  goServiceBinary,
  grpcGoBinary,
  startBare,
  startGo,
  startGrpcGo,
  startOurs,
  startOursOverGrpc,
} from './contender.ts'
import { type DexProcess, startDex } from './dex-process.ts'
import { headersToRepeat } from './first-answer.ts'
import { checkRequest } from './grpc/check-request.ts'
import { grpcAnswerTo } from './grpc/grpc-answer.ts'
import { grpcLoad } from './load/grpc-load.ts'
import type { LoadGenerator, LoadResult } from './load/load.ts'
import { type ModeName, modes } from './mode.ts'
import { processUsage } from './process-usage.ts'
import { clientHeadersIn } from './raw-request.ts'
import { median, summarize } from './statistics.ts'

export interface Bench {
  readonly options: BenchOptions
  readonly dex: DexProcess
  readonly loadGenerator: LoadGenerator
  /** A folder for files that nobody needs afterwards. */
  readonly scratch: string
}

/** After so many, V8 has compiled what a check runs. */
const warmUpChecks = 20_000

type Environment = Readonly<Record<string, string>>

/** A server with the load for it. */
interface Measured {
  readonly contender: Contender
  readonly loadGenerator: LoadGenerator
  readonly requestsFile: string
}

/** The result of one server in one round. */
interface Round extends LoadResult {
  readonly cpuSeconds: number
  readonly rssBytes: number
  readonly peakRssBytes: number | undefined
}

/** Measures all servers in turn, round by round, so that whatever else the machine does hits all of them. */
export async function measureMode(name: ModeName, surroundings: Omit<Bench, 'dex'>): Promise<ModeResult> {
  const { options, scratch } = surroundings
  const mode = modes[name]
  await using dex = await startDex(mode.algorithm, mode.clients)
  const bench = { ...surroundings, dex }
  const requestsFile = path.join(scratch, `${name}.requests`)
  const requestCount = await mode.writeRequests(requestsFile, dex, options)
  const environment = { DEX_TOKEN_URL: dex.tokenEndpoint, ...mode.environment(dex, scratch) }

  await using stack = new AsyncDisposableStack()
  const measured = mode.overGrpc
    ? await grpcContenders(stack, bench, requestsFile, environment)
    : await httpContenders(stack, bench, { name, requestsFile, environment })

  const positions = new Map<ContenderName, number>()
  const run = async (
    { contender, loadGenerator, requestsFile }: Measured,
    seconds: number,
  ): Promise<Round> => {
    const firstRequest = positions.get(contender.name) ?? 0
    const tokenRequestsBefore = await dex.tokenRequests()
    const before = processUsage(contender.pid)
    const { port } = contender
    const { connections } = options
    const result = await loadGenerator.run({ port, requestsFile, firstRequest, connections, seconds })
    const after = processUsage(contender.pid)
    positions.set(contender.name, (firstRequest + result.requests + connections) % requestCount)
    const tokenRequests = (await dex.tokenRequests()) - tokenRequestsBefore
    assertSound(contender.name, result, { tokenRequests, asksDex: mode.asksDex ?? false })
    return { ...result, ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds }
  }

  for (const each of measured) {
    if (!mode.asksDex) await fetchTokens(each, bench, requestCount)
    let answered = 0
    while (answered < warmUpChecks) answered += (await run(each, options.warmUpSeconds)).requests
  }
  const rounds = new Map<ContenderName, Round[]>(measured.map(({ contender }) => [contender.name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const each of measured) {
      rounds.get(each.contender.name)?.push(await run(each, options.seconds))
    }
  }
  return {
    mode: name,
    title: mode.title,
    contenders: Object.fromEntries([...rounds].map(([contender, all]) => [contender, resultOf(all)])),
    ratios: ratiosOf(rounds),
  }
}

/** Our server, the floor, and the Go service. */
async function httpContenders(
  stack: AsyncDisposableStack,
  { loadGenerator }: Bench,
  { name, requestsFile, environment }: { name: ModeName; requestsFile: string; environment: Environment },
): Promise<Measured[]> {
  const ours = stack.use(await startOurs(environment))
  const contenders: Contender[] = [ours]
  // There is nothing to compare a server that asks nobody with one that asks Dex each time.
  if (!modes[name].asksDex)
    contenders.push(
      stack.use(await startBare(await headersToRepeat(ours.port, firstRequestIn(requestsFile)))),
    )
  // The Go service has no rules, and nothing to compare.
  if (goServiceBinary !== undefined && name !== 'rules') {
    contenders.push(stack.use(await startGo(goServiceBinary, environment)))
  }
  return contenders.map(contender => ({ contender, loadGenerator, requestsFile }))
}

/** Our server over gRPC and over HTTP, and a bare grpc-go server that gives the answers of the former. */
async function grpcContenders(
  stack: AsyncDisposableStack,
  { loadGenerator, scratch }: Bench,
  requestsFile: string,
  environment: Environment,
): Promise<Measured[]> {
  const messageFile = path.join(scratch, 'check-request')
  const check = checkRequest(clientHeadersIn(firstRequestIn(requestsFile)))
  writeFileSync(messageFile, check)
  const ours = stack.use(await startOursOverGrpc(environment))
  // The first answer says that the token was not cached, and is longer than the others.
  await grpcAnswerTo(ours.port, check)
  const http = stack.use(await startOurs(environment, 'http'))
  const measured: Measured[] = [
    { contender: ours, loadGenerator: grpcLoad, requestsFile: messageFile },
    { contender: http, loadGenerator, requestsFile },
  ]
  if (grpcGoBinary !== undefined) {
    const answerFile = path.join(scratch, 'check-response')
    writeFileSync(answerFile, await grpcAnswerTo(ours.port, check))
    const contender = stack.use(await startGrpcGo(grpcGoBinary, answerFile))
    measured.push({ contender, loadGenerator: grpcLoad, requestsFile: messageFile })
  }
  return measured
}

function firstRequestIn(requestsFile: string): string {
  return readFileSync(requestsFile, 'latin1').split('\0', 1)[0] ?? ''
}

/** Sends checks until none of them needs Dex: all of them in turn, without a question to Dex. */
async function fetchTokens(
  { contender: { name, port }, loadGenerator, requestsFile }: Measured,
  { dex, options: { connections } }: Bench,
  requestCount: number,
): Promise<void> {
  let firstRequest = 0
  let cached = 0
  for (let attempt = 0; attempt < 60; attempt++) {
    const before = await dex.tokenRequests()
    const { errors, requests } = await loadGenerator.run({
      ...{ port, requestsFile, connections, firstRequest },
      seconds: 1,
    })
    if (errors > 0) throw new Error(`${name}: ${errors} of ${requests} checks failed while warming up`)
    firstRequest = (firstRequest + requests + connections) % requestCount
    cached = (await dex.tokenRequests()) === before ? cached + requests : 0
    if (cached >= requestCount) return
  }
  throw new Error(`${name}: some checks are not cached after a minute`)
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
