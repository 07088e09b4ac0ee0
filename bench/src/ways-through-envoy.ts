import { writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  bootstrapWithoutBroker,
  brokerCommand,
  type EnvoyConfig,
  envoyBootstrap,
  type ListenerParts,
  type ListenerVariants,
  listeningPorts,
  ManagedProcess,
  secretResource,
  startEnvoy,
  until,
} from '@broker/testing'
import { goServiceBinary, startGo } from './contender.ts'
import { clientSecret } from './dex-process.ts'
import type { Bench } from './measure-mode.ts'

/** A way of a request through Envoy. */
export interface Way {
  readonly title: string
  readonly port: number
  readonly envoyPid: number
  /** `undefined` where nobody is asked. */
  readonly brokerPid: number | undefined
}

/** Answers of Envoy itself, so that no backend is in the figures, and no access log. */
function withoutBackend({ connectionManager }: Pick<ListenerParts, 'connectionManager'>): void {
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
 * Starts the shipped bootstraps: without a check, with cached checks over HTTP and over gRPC, with the Go service if PEER_BIN names it,
 * and with the token from Envoy's own credential_injector. Each has a separate Envoy, so that each process has one task; the way without
 * a check is the first.
 */
export async function startWays(
  stack: AsyncDisposableStack,
  envoyBinary: string,
  bench: Bench,
): Promise<readonly Way[]> {
  const ways = [
    await startUnchecked(stack, envoyBinary),
    await startChecked(stack, envoyBinary, bench, 'http'),
    await startChecked(stack, envoyBinary, bench, 'grpc'),
  ]
  if (goServiceBinary !== undefined) {
    ways.push(await startGoChecked(stack, envoyBinary, bench, goServiceBinary))
  }
  ways.push(await startInjector(stack, envoyBinary, bench))
  return ways
}

async function startUnchecked(stack: AsyncDisposableStack, envoyBinary: string): Promise<Way> {
  const nobody = { port: 9, adminPort: 9 }
  const listeners = { ingress: withoutCheck }
  const bootstrap = envoyBootstrap({ brokers: [nobody], backendPort: 9, listeners })
  return await startWay(stack, envoyBinary, { title: 'no check', bootstrap, brokerPid: undefined })
}

const listeners: ListenerVariants = { ingress: withoutBackend }

async function startChecked(
  stack: AsyncDisposableStack,
  envoyBinary: string,
  { dex }: Bench,
  protocol: 'http' | 'grpc',
): Promise<Way> {
  const env = {
    ...{ LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', GRPC_LISTEN_ADDR: '127.0.0.1:0' },
    DEX_TOKEN_URL: dex.tokenEndpoint,
  }
  const broker = stack.use(new ManagedProcess('the broker', process.execPath, [brokerCommand], { env }))
  const ports = await broker.until('it listened', () => listeningPorts(broker.log))
  const bootstrap = envoyBootstrap({ protocol, brokers: [ports], backendPort: 9, listeners })
  const title = protocol === 'http' ? 'checked over HTTP' : 'checked over gRPC'
  return await startWay(stack, envoyBinary, { title, bootstrap, brokerPid: broker.pid })
}

async function startGoChecked(
  stack: AsyncDisposableStack,
  envoyBinary: string,
  { dex }: Bench,
  goBinary: string,
): Promise<Way> {
  const { port, pid } = stack.use(await startGo(goBinary, { DEX_TOKEN_URL: dex.tokenEndpoint }))
  const changeBrokerCluster = (cluster: EnvoyConfig) => {
    cluster['health_checks'][0].http_health_check.path = '/healthz'
  }
  const brokers = [{ port, adminPort: port }]
  const bootstrap = envoyBootstrap({ brokers, backendPort: 9, listeners, changeBrokerCluster })
  return await startWay(stack, envoyBinary, { title: 'checked by the Go service', bootstrap, brokerPid: pid })
}

/** Without the gate, as the other ways have none. */
async function startInjector(
  stack: AsyncDisposableStack,
  envoyBinary: string,
  { dex, scratch }: Bench,
): Promise<Way> {
  const secretFile = path.join(scratch, 'client-secret.yaml')
  writeFileSync(secretFile, secretResource(clientSecret(0)))
  const bootstrap = bootstrapWithoutBroker({
    issuer: dex.issuer,
    clientId: 'client-0',
    secretFile,
    backendPort: 9,
    changeListener: parts => {
      withoutBackend(parts)
      parts.connectionManager['http_filters'].shift()
    },
  })
  const title = 'credential_injector'
  const way = await startWay(stack, envoyBinary, { title, bootstrap, brokerPid: undefined })
  // Until its first token arrives, it answers 401.
  await until(async () => (await fetch(`http://127.0.0.1:${way.port}/`)).ok, 'a token of credential_injector')
  return way
}

async function startWay(
  stack: AsyncDisposableStack,
  envoyBinary: string,
  { bootstrap, ...way }: Pick<Way, 'title' | 'brokerPid'> & { readonly bootstrap: EnvoyConfig },
): Promise<Way> {
  const envoy = stack.use(await startEnvoy(envoyBinary, bootstrap))
  return { ...way, port: envoy.port('ingress'), envoyPid: envoy.process.pid }
}
