import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { findEnvoy } from '@broker/testing'
import type { AddedThroughEnvoy, ThroughEnvoyResult, WayThroughEnvoy } from './bench-result.ts'
import { credentialHeaders } from './dex-process.ts'
import type { Bench } from './measure-mode.ts'
import { processUsage } from './process-usage.ts'
import { rawRequest } from './raw-request.ts'
import { median, summarize } from './statistics.ts'
import { startWays, type Way } from './ways-through-envoy.ts'

interface Round {
  readonly envoyMicros: number
  readonly brokerMicros: number
  readonly requestsPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** Measures requests through a real Envoy, each way in turn, so that whatever else the machine does hits all of them. */
export async function measureThroughEnvoy(bench: Bench): Promise<ThroughEnvoyResult> {
  const { options, loadGenerator, scratch } = bench
  const { path: binary, reason } = await findEnvoy()
  if (binary === undefined) throw new Error(`--envoy: ${reason}`)
  await using stack = new AsyncDisposableStack()
  const ways = await startWays(stack, binary, bench)
  const requestsFile = path.join(scratch, 'through-envoy.requests')
  writeFileSync(requestsFile, rawRequest('/orders/17?page=2', credentialHeaders(0)))
  const load = async ({ title, port }: Way, connections: number, seconds: number) => {
    const result = await loadGenerator.run({ port, requestsFile, firstRequest: 0, connections, seconds })
    if (result.errors > 0 || result.requests === 0) {
      throw new Error(`${title}: ${result.errors} of ${result.requests} requests failed`)
    }
    return result
  }
  const measure = async (way: Way): Promise<Round> => {
    const cpuSeconds = (pid: number | undefined) => (pid === undefined ? 0 : processUsage(pid).cpuSeconds)
    const usage = () => ({ envoy: cpuSeconds(way.envoyPid), broker: cpuSeconds(way.brokerPid) })
    const before = usage()
    const busy = await load(way, options.connections, options.seconds)
    const after = usage()
    const single = await load(way, 1, options.seconds)
    const micros = (seconds: number) => (seconds * 1e6) / busy.requests
    return {
      envoyMicros: micros(after.envoy - before.envoy),
      brokerMicros: micros(after.broker - before.broker),
      requestsPerSecond: busy.requests / busy.seconds,
      latencyMs: single.latencyMs,
    }
  }

  for (const way of ways) await load(way, options.connections, options.warmUpSeconds)
  const rounds = new Map<Way, Round[]>(ways.map(way => [way, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const way of ways) rounds.get(way)?.push(await measure(way))
  }
  const [first = []] = rounds.values()
  return { ways: [...rounds].map(([way, all]) => wayResult(way, all, all === first ? undefined : first)) }
}

function wayResult(
  { title, brokerPid }: Way,
  rounds: readonly Round[],
  first: readonly Round[] | undefined,
): WayThroughEnvoy {
  const of = (value: (round: Round) => number) => rounds.map(value)
  return {
    title,
    brokerMicros: brokerPid === undefined ? undefined : summarize(of(round => round.brokerMicros)),
    envoyMicros: summarize(of(round => round.envoyMicros)),
    requestsPerSecond: summarize(of(round => round.requestsPerSecond)),
    latencyMs: {
      p50: median(of(round => round.latencyMs.p50)),
      p99: median(of(round => round.latencyMs.p99)),
    },
    ...(first && { added: addedTo(first, rounds) }),
  }
}

function addedTo(first: readonly Round[], rounds: readonly Round[]): AddedThroughEnvoy {
  const pairs = rounds.map((round, index) => [round, first[index] as Round] as const)
  const added = (value: (round: Round) => number) =>
    summarize(pairs.map(([round, without]) => value(round) - value(without)))
  const cpu = ({ envoyMicros, brokerMicros }: Round) => envoyMicros + brokerMicros
  return {
    cpuMicros: added(cpu),
    cpuRatio: summarize(pairs.map(([round, without]) => cpu(round) / cpu(without))),
    p50Ms: added(({ latencyMs }) => latencyMs.p50),
    p99Ms: added(({ latencyMs }) => latencyMs.p99),
  }
}

/** A line for each way. */
export function throughEnvoyText({ ways }: ThroughEnvoyResult): string {
  const lines = ways.map(({ title, brokerMicros, envoyMicros, requestsPerSecond, latencyMs }) =>
    [
      `  ${title.padEnd(25)}`,
      `broker ${brokerMicros === undefined ? '   –' : brokerMicros.median.toFixed(1)} µs`,
      `Envoy ${envoyMicros.median.toFixed(1)} µs`,
      `${requestsPerSecond.median.toFixed(0)} requests/s`,
      `one at a time: p50 ${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms`,
    ].join('  '),
  )
  return ['through Envoy, CPU time for each request', ...lines].join('\n')
}
