import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parse } from 'yaml'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { QuickstartFailure } from './quickstart-failure.ts'

/** What runs here is what is shipped; only addresses differ. */
const shippedBootstrap = new URL('../../../deploy/envoy/envoy.yaml', import.meta.url)
const startTimeoutMs = 20_000

/** Envoy's configuration has no types here: Envoy checks it at its start, and says what is wrong. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type EnvoyConfig = any

export interface EnvoyGatewayOptions extends GatewayOptions {
  /** The broker's admin listener, for Envoy's health checks. */
  readonly brokerAdminUrl: string
}

/** Starts a real Envoy with `deploy/envoy/envoy.yaml`. */
export async function startEnvoyGateway(binary: string, options: EnvoyGatewayOptions): Promise<Gateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dex-token-broker-envoy-'))
  const configFile = path.join(folder, 'envoy.json')
  const adminFile = path.join(folder, 'admin-address')
  await writeFile(configFile, JSON.stringify(bootstrap(options)))
  const envoy = spawn(
    binary,
    [
      '-c',
      configFile,
      '--admin-address-path',
      adminFile,
      '--disable-hot-restart',
      '--concurrency',
      '1',
    ].concat(...['--log-level', 'error']),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const log: Buffer[] = []
  envoy.stderr.on('data', chunk => log.push(chunk))
  const killWithUs = () => envoy.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(envoy, 'close').finally(() => process.off('exit', killWithUs))
  ended.catch(() => {})
  const close = async () => {
    envoy.kill('SIGTERM')
    const impatience = setTimeout(() => envoy.kill('SIGKILL'), 5_000)
    await ended.catch(() => {})
    clearTimeout(impatience)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const admin = await untilDefined(envoy, async () =>
      existsSync(adminFile) ? (await readFile(adminFile, 'utf8')).trim() || undefined : undefined,
    )
    await untilDefined(envoy, async () => {
      const { ok } = await fetch(`http://${admin}/ready`)
      return ok || undefined
    })
    return { url: await listenerUrl(admin), description: 'a real Envoy with deploy/envoy/envoy.yaml', close }
  } catch {
    await close()
    throw new QuickstartFailure(
      `Envoy did not start (npm start -- --no-envoy does without):\n${Buffer.concat(log)}`,
    )
  }
}

function bootstrap({ port, brokerUrl, brokerAdminUrl, backendUrl }: EnvoyGatewayOptions): EnvoyConfig {
  const config: EnvoyConfig = parse(readFileSync(shippedBootstrap, 'utf8'))
  config.admin.address = loopback(0)
  const { listeners, clusters } = config.static_resources
  listeners[0].address = loopback(port)
  const endpointOf = (name: string) =>
    clusters.find((cluster: EnvoyConfig) => cluster.name === name).load_assignment.endpoints[0]
      .lb_endpoints[0].endpoint
  const broker = endpointOf('dex_token_broker')
  broker.address = loopback(portOf(brokerUrl))
  broker.health_check_config.port_value = portOf(brokerAdminUrl)
  endpointOf('backend').address = loopback(portOf(backendUrl))
  return config
}

function loopback(port: number): EnvoyConfig {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

async function listenerUrl(admin: string): Promise<string> {
  const response = await fetch(`http://${admin}/listeners?format=json`)
  const { listener_statuses: listeners }: EnvoyConfig = await response.json()
  return `http://127.0.0.1:${listeners[0].local_address.socket_address.port_value}`
}

async function untilDefined<T>(envoy: ChildProcess, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + startTimeoutMs; performance.now() < end; await pause(20)) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (envoy.exitCode !== null || envoy.pid === undefined) break
  }
  throw new Error('Envoy is not ready')
}
