import { writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  brokerCommand,
  type EnvoyConfig,
  envoyBootstrap,
  findEnvoy,
  type ListenerParts,
  listeningPorts,
  ManagedProcess,
  startEnvoy,
} from '@broker/testing'
import type { ThroughEnvoyResult, WayThroughEnvoy } from './bench-result.ts'
import { credentialHeaders } from './dex-process.ts'
import type { Bench } from './measure-mode.ts'
import { processUsage } from './process-usage.ts'
import { rawRequest } from './raw-request.ts'
import { median, summarize } from './statistics.ts'

interface Way {
  readonly title: string
  readonly port: number
  readonly envoyPid: number
  readonly brokerPid: number | undefined
}

interface Round {
  readonly envoyMicros: number
  readonly brokerMicros: number
  readonly requestsPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** Envoy answers by itself, so that no backend is in the figures, and writes no access log. */
function withoutBackend({ connectionManager }: ListenerParts): void {
  delete connectionManager['access_log']
  for (const route of connectionManager['route_config'].virtual_hosts[0].routes as EnvoyConfig[]) {
    delete route['route']
    route['direct_response'] = { status: 200 }
  }
}

function withoutCheck(parts: ListenerParts): void {
  withoutBackend(parts)
  for (const route of parts.connectionManager['route_config'].virtual_hosts[0].routes as EnvoyConfig[]) {
    delete route['typed_per_filter_config']
  }
  parts.connectionManager['http_filters'].shift()
}

/**
 * Measures requests through a real Envoy with the shipped bootstraps: without a check, and with cached checks over HTTP and over gRPC,
 * in turn. Each protocol has a separate Envoy and broker, so that each process has one task.
 */
export async function measureThroughEnvoy(bench: Bench): Promise<ThroughEnvoyResult> {
  const { options, dex, loadGenerator, scratch } = bench
  const { path: binary, reason } = await findEnvoy()
  if (binary === undefined) throw new Error(`--envoy: ${reason}`)
  await using stack = new AsyncDisposableStack()
  const ways: Way[] = []
  for (const protocol of ['http', 'grpc'] as const) {
    const env = {
      ...{ LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', GRPC_LISTEN_ADDR: '127.0.0.1:0' },
      DEX_TOKEN_URL: dex.tokenEndpoint,
    }
    const broker = stack.use(new ManagedProcess('the broker', process.execPath, [brokerCommand], { env }))
    const ports = await broker.until('it listened', () => listeningPorts(broker.log))
    const listeners = { checked: withoutBackend, 'not checked': withoutCheck }
    const bootstrap = envoyBootstrap({ protocol, brokers: [ports], backendPort: 9, listeners })
    const envoy = stack.use(await startEnvoy(binary, bootstrap))
    const of = (title: string, listener: string, brokerPid: number | undefined) =>
      ways.push({ title, port: envoy.port(listener), envoyPid: envoy.process.pid, brokerPid })
    if (protocol === 'http') of('no check', 'not checked', undefined)
    of(protocol === 'http' ? 'checked over HTTP' : 'checked over gRPC', 'checked', broker.pid)
  }

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
    const usage = () => [way.envoyPid, way.brokerPid ?? way.envoyPid].map(pid => processUsage(pid).cpuSeconds)
    const [envoyBefore = 0, brokerBefore = 0] = usage()
    const busy = await load(way, options.connections, options.seconds)
    const [envoyAfter = 0, brokerAfter = 0] = usage()
    const single = await load(way, 1, options.seconds)
    const micros = (seconds: number) => (seconds * 1e6) / busy.requests
    return {
      envoyMicros: micros(envoyAfter - envoyBefore),
      brokerMicros: micros(brokerAfter - brokerBefore),
      requestsPerSecond: busy.requests / busy.seconds,
      latencyMs: single.latencyMs,
    }
  }

  for (const way of ways) await load(way, options.connections, options.warmUpSeconds)
  const rounds = new Map<Way, Round[]>(ways.map(way => [way, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const way of ways) rounds.get(way)?.push(await measure(way))
  }
  return { ways: [...rounds].map(([way, all]) => wayResult(way, all)) }
}

function wayResult({ title, brokerPid }: Way, rounds: readonly Round[]): WayThroughEnvoy {
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
  }
}

/** A line for each way. */
export function throughEnvoyText({ ways }: ThroughEnvoyResult): string {
  const lines = ways.map(({ title, brokerMicros, envoyMicros, requestsPerSecond, latencyMs }) =>
    [
      `  ${title.padEnd(17)}`,
      `broker ${brokerMicros === undefined ? '   –' : brokerMicros.median.toFixed(1)} µs`,
      `Envoy ${envoyMicros.median.toFixed(1)} µs`,
      `${requestsPerSecond.median.toFixed(0)} requests/s`,
      `one at a time: p50 ${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms`,
    ].join('  '),
  )
  return ['through Envoy, CPU time for each request', ...lines].join('\n')
}
