import { Writable } from 'node:stream'
import type { DevDex } from '@broker/dev-dex'
import { ask, type ManualClock, type RawAnswer, type RawRequest } from '@broker/testing'
import { loadConfig } from '../../src/config/load-config.ts'
import { createLogger } from '../../src/create-logger.ts'
import type { RunningServer } from '../../src/running-server.ts'
import { startServer } from '../../src/start-server.ts'
import { startDex } from '../support/start-broker.ts'

type Environment = Readonly<Record<string, string>>

/** A server with its own log, as the command has it, in front of a look-alike of Dex. */
export interface PageUnderTest extends AsyncDisposable {
  readonly dex: DevDex
  readonly server: RunningServer
  /** Of the admin listener. */
  readonly port: number
  check(request?: RawRequest): Promise<RawAnswer>
  /** A request of somebody on this host to the admin listener. */
  get(target: string, request?: RawRequest): Promise<RawAnswer>
  /** Puts other variables into effect. */
  reload(changed: Environment): void
  /** The JSON at `/status`. */
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the page
  status(): Promise<any>
}

/** A log that nobody reads. */
export function silence(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

export async function startPage(
  environment: (dex: DevDex) => Environment = () => ({}),
  { clock }: { clock?: ManualClock } = {},
): Promise<PageUnderTest> {
  const dex = await startDex(clock === undefined ? {} : { now: clock.wall })
  const configOf = (changed: Environment = {}) => {
    const config = loadConfig({
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '4s',
      ...environment(dex),
      ...changed,
    })
    return clock === undefined ? config : { ...config, broker: { ...config.broker, clock } }
  }
  const config = configOf()
  const server = await startServer(config, createLogger(config, silence()))
  const port = server.adminAddress?.port ?? 0
  const get = (target: string, request: RawRequest = {}) =>
    ask(port, { target, headers: { host: 'localhost' }, ...request })
  return {
    dex,
    server,
    port,
    check: request => ask(server.checkAddress.port, request),
    get,
    reload: changed => server.reload(configOf(changed)),
    status: async () => JSON.parse((await get('/status')).body),
    async [Symbol.asyncDispose]() {
      await server.close()
      await dex.close()
    },
  }
}

/** The environment of a gate in front of a configured client. */
export function gated(dex: DevDex): Environment {
  return {
    DEX_TOKEN_URL: '',
    DEX_ISSUER: dex.issuer,
    JWT_AUDIENCE: 'shop',
    STATIC_CLIENT_ID: 'orders',
    STATIC_CLIENT_SECRET: 'orders-secret',
    STATIC_SCOPE: 'groups',
  }
}

/** The credentials of a caller behind the gate. */
export function bearer(dex: DevDex, claims: object = {}): RawRequest {
  const exp = Math.floor(Date.now() / 1_000) + 600
  const jwt = dex.signJwt({ iss: dex.issuer, aud: 'shop', sub: 'somebody', exp, ...claims })
  return { headers: { authorization: `Bearer ${jwt}` } }
}
