import type { DevDex } from '@broker/dev-dex'
import { ask, type RawAnswer, type RawRequest } from '@broker/testing'
import { pino } from 'pino'
import { BrokerServer } from '../../src/broker-server.ts'
import { YamlConfigReader } from '../../src/config/file/yaml-config-reader.ts'
import { ConfigReload } from '../../src/reload/config-reload.ts'
import { ConfigSource } from '../../src/reload/config-source.ts'
import type { LogLine } from '../support/start-broker.ts'

/** A broker in this process that reads its files again when a test asks for it. */
export interface ReloadingBroker extends AsyncDisposable {
  readonly port: number
  readonly log: readonly LogLine[]
  /** Two looks at the files: as much as a change needs. */
  look(): Promise<void>
  check(headers?: RawRequest['headers']): Promise<RawAnswer>
  admin(target: string): Promise<RawAnswer>
  /** The value of a metric. */
  metric(name: string): Promise<number>
  /** Lines of the log with this message. */
  lines(msg: string): readonly LogLine[]
}

/** Starts the broker for a Dex, with these variables. */
export async function startReloadingBroker(
  dex: Pick<DevDex, 'tokenEndpoint'>,
  environment: Readonly<Record<string, string>>,
): Promise<ReloadingBroker> {
  const source = new ConfigSource(
    {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
      SHUTDOWN_TIMEOUT: '400ms',
      ...environment,
    },
    new YamlConfigReader(),
  )
  const config = source.load()
  const log: LogLine[] = []
  const logger = pino(
    { level: config.logLevel, base: null },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  )
  const server = await BrokerServer.start(config, logger)
  const reload = new ConfigReload({ source, server, metrics: server.metrics, logger })
  const { port } = server.checkAddress
  const admin = (target: string) => ask(server.adminAddress?.port ?? 0, { target })
  return {
    port,
    log,
    async look() {
      await reload.lookNow()
      await reload.lookNow()
    },
    check: (headers = {}) => ask(port, { headers }),
    admin,
    async metric(name) {
      const lines = (await admin('/metrics')).body.split('\n')
      return Number(lines.find(line => line.startsWith(`${name} `))?.split(' ')[1])
    },
    lines: msg => log.filter(line => line.msg === msg),
    async [Symbol.asyncDispose]() {
      reload.close()
      await server.close()
    },
  }
}
