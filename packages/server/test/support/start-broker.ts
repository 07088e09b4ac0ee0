import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { ask, ManualClock, type RawAnswer, type RawRequest } from '@broker/testing'
import { pino } from 'pino'
import { loadConfig } from '../../src/config/load-config.ts'
import type { RunningServer } from '../../src/running-server.ts'
import { startServer } from '../../src/start-server.ts'

/** Credentials that every look-alike of Dex in these tests knows, as request headers. */
export const orders = { 'x-client-id': 'orders', 'x-client-secret': 'orders-secret' } as const
export const billing = { 'x-client-id': 'billing', 'x-client-secret': 'billing-secret' } as const

export function startDex(options: DevDexOptions = {}): Promise<DevDex> {
  return startDevDex({
    algorithm: 'ES256',
    clients: [
      { id: 'orders', secret: 'orders-secret', groups: ['shop'] },
      { id: 'billing', secret: 'billing-secret', trustedPeers: ['orders'] },
    ],
    ...options,
  })
}

/** A line of the log, as pino writes it. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export const warnLevel = 40

/** The server in this process, with a look-alike of Dex behind it. */
export interface BrokerUnderTest extends AsyncDisposable {
  readonly dex: DevDex
  readonly server: RunningServer
  readonly port: number
  readonly log: readonly LogLine[]
  /** Drives the broker and the look-alike, where the test asked for it. */
  readonly clock: ManualClock
  /** A request to the check listener, on a connection of its own. */
  check(request?: RawRequest): Promise<RawAnswer>
  /** GET a page of the admin listener. */
  admin(target: string): Promise<RawAnswer>
}

type Environment = Readonly<Record<string, string>>

/** Starts both; the environment is that of a user, the addresses aside. */
export async function startBroker(
  environment: Environment | ((dex: DevDex) => Environment) = {},
  { byManualClock = false, ...dexOptions }: DevDexOptions & { byManualClock?: boolean } = {},
): Promise<BrokerUnderTest> {
  const clock = new ManualClock()
  const dex = await startDex({ ...(byManualClock ? { now: clock.wall } : {}), ...dexOptions })
  const log: LogLine[] = []
  const config = loadConfig({
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: dex.tokenEndpoint,
    SHUTDOWN_TIMEOUT: '400ms',
    LOG_LEVEL: 'DEBUG-4',
    ...(typeof environment === 'function' ? environment(dex) : environment),
  })
  const logger = pino(
    { level: config.logLevel, base: null },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  )
  const broker = byManualClock ? { ...config.broker, clock } : config.broker
  const server = await startServer({ ...config, broker }, logger).catch(async error => {
    await dex.close()
    throw error
  })
  const { port } = server.checkAddress
  return {
    dex,
    server,
    port,
    log,
    clock,
    check: request => ask(port, request),
    admin: target => ask(server.adminAddress?.port ?? 0, { target }),
    async [Symbol.asyncDispose]() {
      await server.close()
      await dex.close()
    },
  }
}

/** The token in an answer's bearer header. */
export function bearerOf(answer: RawAnswer, header = 'authorization'): string {
  const [, token] = /^Bearer (.+)$/.exec(answer.header(header) ?? '') ?? []
  if (token === undefined) throw new Error(`no bearer token: ${answer.status} ${answer.body}`)
  return token
}

/** The error code in a refusal's body. */
export function errorOf(answer: RawAnswer): string {
  return JSON.parse(answer.body).error
}

/** What Envoy will remove from the client's request. */
export function removedBy(answer: RawAnswer): string[] {
  return (answer.header('x-envoy-auth-headers-to-remove') ?? '').split(',').filter(Boolean)
}
