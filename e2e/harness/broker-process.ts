import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { ManagedProcess } from './managed-process.ts'

/** Where a broker listens on 127.0.0.1. */
export interface BrokerPorts {
  readonly port: number
  readonly adminPort: number
}

/** The command `dex-token-broker`, as its own process. */
export interface BrokerProcess extends BrokerPorts, AsyncDisposable {
  readonly process: ManagedProcess
  /** The value of a metric, all its labels added up. */
  metric(name: string): Promise<number>
}

/** Runs the built command with these variables and no others, and waits until it listens. */
export async function startBroker(
  environment: Readonly<Record<string, string>>,
  { port, adminPort }: BrokerPorts = { port: 0, adminPort: 0 },
): Promise<BrokerProcess> {
  const broker = new ManagedProcess('the broker', process.execPath, [brokerCommand()], {
    env: {
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
      SHUTDOWN_TIMEOUT: '5s',
      ...environment,
    },
  })
  try {
    const ports = await broker.until('it listened', () => listeningPorts(broker.log))
    return {
      ...ports,
      process: broker,
      metric: name => readMetric(ports.adminPort, name),
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    }
  } catch (error) {
    await broker[Symbol.asyncDispose]()
    throw error
  }
}

/** The script behind the command, as the package's `bin` names it. */
function brokerCommand(): string {
  const manifestFile = createRequire(import.meta.url).resolve('@broker/server/package.json')
  const manifest: { bin: { 'dex-token-broker': string } } = JSON.parse(readFileSync(manifestFile, 'utf8'))
  return path.join(path.dirname(manifestFile), manifest.bin['dex-token-broker'])
}

function listeningPorts(log: string): BrokerPorts | undefined {
  const line = log.split('\n').find(text => text.includes('"msg":"listening"') && text.endsWith('}'))
  if (line === undefined) return undefined
  const { check, admin } = JSON.parse(line) as { check: string; admin: string }
  return { port: portOf(check), adminPort: portOf(admin) }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

async function readMetric(adminPort: number, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
  const lines = (await response.text()).split('\n')
  const values = lines.filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
