import { type Backend, startBackend } from './backend.ts'
import { type BrokerProcess, startBroker } from './broker-process.ts'
import { type Dex, startDex } from './dex.ts'
import { startEnvoyFilter } from './envoy-filter.ts'
import { startEnvoyGateway } from './envoy-gateway.ts'
import type { Gateway } from './gateway.ts'
import { idTokenHeader } from './header-names.ts'
import type { Ports } from './ports.ts'

/** Everything that runs. */
export interface Parts {
  readonly dex: Dex
  readonly backend: Backend
  readonly broker: BrokerProcess
  readonly gateway: Gateway
}

/** How the parts start. */
export interface PartsOptions {
  readonly ports: Ports
  /** A Dex binary in place of the look-alike. */
  readonly dexBinary: string | undefined
  /** A real Envoy in place of what plays its filter. */
  readonly envoyBinary: string | undefined
  readonly logLevel: string
  readonly onLogLine: (line: string) => void
  /** Whether the broker's log file is wanted after the end. */
  readonly keepLog: () => boolean
}

/** Starts the parts one after the other; each goes onto the stack, which ends them, the last one first. */
export async function startParts(options: PartsOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { ports, dexBinary, envoyBinary, logLevel, onLogLine, keepLog } = options
  const dex = await startDex(ports.dex, dexBinary)
  stack.defer(() => dex.close())
  const backend = await startBackend(ports.backend, dex)
  stack.defer(() => backend.close())
  const broker = await startBroker({
    port: ports.broker,
    adminPort: ports.admin,
    environment: {
      DEX_TOKEN_URL: dex.tokenEndpoint,
      HTTP_TIMEOUT: '5s',
      UPSTREAM_TOKEN_HEADERS: `id_token:${idTokenHeader}`,
      LOG_LEVEL: logLevel,
    },
    onLogLine,
  })
  stack.defer(() => broker.close({ keepLog: keepLog() }))
  // Before the broker ends, so that it has no connection left to wait for.
  const gatewayOptions = {
    port: ports.gateway,
    brokerUrl: broker.url,
    brokerAdminUrl: broker.adminUrl,
    backendUrl: backend.url,
  }
  const gateway =
    envoyBinary === undefined
      ? await startEnvoyFilter(gatewayOptions)
      : await startEnvoyGateway(envoyBinary, gatewayOptions)
  stack.defer(() => gateway.close())
  return { dex, backend, broker, gateway }
}
