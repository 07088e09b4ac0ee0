import {
  type BrokerProcess,
  type EnvoyProcess,
  envoyBootstrap,
  type ListenerVariants,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { type Dex, type DexOptions, startDex } from './dex.ts'
import { anyPorts, protocol } from './protocol.ts'
import { type RecordingBackend, startBackend } from './recording-backend.ts'

/** Client, Envoy, broker, Dex and backend; everything but the client runs. */
export interface System extends AsyncDisposable {
  readonly dex: Dex
  readonly backend: RecordingBackend
  readonly broker: BrokerProcess
  readonly envoy: EnvoyProcess
  /** Where clients reach the shipped listener, or another one by its name. */
  port(listener?: string): number
}

type Environment = Readonly<Record<string, string>>

export interface SystemOptions {
  readonly dex?: DexOptions
  /** Variables of the broker besides those that every one gets. */
  readonly environment?: Environment | ((dex: Dex) => Environment | Promise<Environment>)
  /** The port of a collector to which Envoy sends its spans. Default: none. */
  readonly collectorPort?: number
  /** Listeners besides the shipped one, which is called `ingress`. */
  readonly listeners?: ListenerVariants
}

/** The variables of every broker here: the mapped headers are those that the shipped bootstrap lets pass. */
export function brokerEnvironment({ tokenEndpoint }: Dex): Readonly<Record<string, string>> {
  return {
    DEX_TOKEN_URL: tokenEndpoint,
    UPSTREAM_TOKEN_HEADERS: 'access_token:x-access-token,id_token:x-id-token',
  }
}

/** Starts one of each. */
export async function startSystem(envoyBinary: string, options: SystemOptions = {}): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const dex = stack.use(await startDex(options.dex))
  const backend = stack.use(await startBackend(dex))
  const { environment } = options
  const variables = typeof environment === 'function' ? await environment(dex) : environment
  const broker = stack.use(await startBroker({ ...brokerEnvironment(dex), ...variables }, anyPorts))
  const listeners = { ingress: () => {}, ...options.listeners }
  const bootstrap = envoyBootstrap({
    protocol,
    brokers: [broker],
    backendPort: backend.port,
    listeners,
    collectorPort: options.collectorPort,
  })
  const envoy = stack.use(await startEnvoy(envoyBinary, bootstrap))
  const resources = stack.move()
  return {
    dex,
    backend,
    broker,
    envoy,
    port: (listener = 'ingress') => envoy.port(listener),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
