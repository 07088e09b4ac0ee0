import { type BrokerPorts, brokerCommand, listeningPorts } from './broker-command.ts'
import { ManagedProcess } from './managed-process.ts'

/** The command `dex-token-broker`, as its own process. */
export interface BrokerProcess extends BrokerPorts, AsyncDisposable {
  readonly process: ManagedProcess
  /** The value of a metric, all its labels added up. */
  metric(name: string): Promise<number>
}

/** Runs the built command with these variables and no others, and waits until it listens. */
export async function startBroker(
  environment: Readonly<Record<string, string>>,
  { port, adminPort, grpcPort }: BrokerPorts = { port: 0, adminPort: 0 },
): Promise<BrokerProcess> {
  const broker = new ManagedProcess('the broker', process.execPath, [brokerCommand], {
    env: {
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
      ...(grpcPort !== undefined && { GRPC_LISTEN_ADDR: `127.0.0.1:${grpcPort}` }),
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

async function readMetric(adminPort: number, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
  const lines = (await response.text()).split('\n')
  const values = lines.filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
