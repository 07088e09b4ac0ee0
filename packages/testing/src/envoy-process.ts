import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { EnvoyConfig } from './envoy-bootstrap.ts'
import { ManagedProcess } from './managed-process.ts'

/** A running Envoy. */
export interface EnvoyProcess extends AsyncDisposable {
  /** Where clients reach a listener. */
  port(listener: string): number
  readonly process: ManagedProcess
  /** A counter or gauge by its full name. */
  stat(name: string): Promise<number>
  /** How many hosts of the brokers' cluster Envoy holds for healthy. */
  healthyBrokers(): Promise<number>
}

/** Starts Envoy and waits until it serves and has chosen the ports of its listeners. */
export async function startEnvoy(binary: string, bootstrap: EnvoyConfig): Promise<EnvoyProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'broker-e2e-'))
  const configFile = path.join(folder, 'envoy.json')
  const adminFile = path.join(folder, 'admin')
  await writeFile(configFile, JSON.stringify(bootstrap))
  const envoy = new ManagedProcess('Envoy', binary, [
    ...['-c', configFile, '--admin-address-path', adminFile],
    ...['--disable-hot-restart', '--concurrency', '2', '--log-level', 'warning'],
    // Of access logs; the default is 10 s.
    ...['--file-flush-interval-msec', '20'],
  ])
  async function close(): Promise<void> {
    await envoy[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const admin = await envoy.until('its admin address was known', async () =>
      existsSync(adminFile) ? (await readFile(adminFile, 'utf8')).trim() || undefined : undefined,
    )
    const ask = async (route: string) => {
      const response = await fetch(`http://${admin}${route}`)
      return { ok: response.ok, text: await response.text() }
    }
    await envoy.until('it served', async () =>
      (await ask('/ready').catch(() => undefined))?.ok ? true : undefined,
    )
    const ports = listenerPorts((await ask('/listeners?format=json')).text)
    const stat = async (name: string) => {
      const { text } = await ask(`/stats?filter=^${name.replaceAll('.', '\\.')}$`)
      return Number(/: (\d+)/.exec(text)?.[1] ?? Number.NaN)
    }
    const healthyBrokers = () => stat('cluster.dex_token_broker.membership_healthy')
    const port = (listener: string) => {
      const found = ports[listener]
      if (found === undefined) throw new Error(`Envoy has no listener ${listener}`)
      return found
    }
    return { port, process: envoy, stat, healthyBrokers, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function listenerPorts(json: string): Record<string, number> {
  const { listener_statuses: statuses } = JSON.parse(json) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[]
  }
  return Object.fromEntries(
    statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value]),
  )
}
