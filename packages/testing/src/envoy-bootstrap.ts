import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { BrokerPorts } from './broker-command.ts'
import type { CheckProtocol } from './check-protocol.ts'

const shippedFolder = new URL('../../../deploy/envoy/', import.meta.url)
/** The shipped bootstraps. */
const bootstrapFiles: Readonly<Record<CheckProtocol, string>> = {
  http: 'envoy.yaml',
  grpc: 'envoy-grpc.yaml',
}

/** A message of Envoy's configuration. */
// biome-ignore lint/suspicious/noExplicitAny: Envoy itself checks these at its start, with better words than a type.
export type EnvoyConfig = Record<string, any>

/** The parts of the shipped listener that a variant may change. */
export interface ListenerParts {
  readonly listener: EnvoyConfig
  readonly connectionManager: EnvoyConfig
  readonly extAuthz: EnvoyConfig
}

/** Listeners by name; each starts as a copy of the shipped one. */
export type ListenerVariants = Readonly<Record<string, (parts: ListenerParts) => void>>

export interface BootstrapOptions {
  /** How Envoy asks the broker. Default: `http`. */
  readonly protocol?: CheckProtocol | undefined
  readonly brokers: readonly BrokerPorts[]
  readonly backendPort: number
  readonly listeners: ListenerVariants
  /** The port of a collector: uncomments the shipped tracing, and traces every request. */
  readonly collectorPort?: number | undefined
  /** Changes the cluster of the brokers. */
  readonly changeBrokerCluster?: ((cluster: EnvoyConfig) => void) | undefined
}

/** The shipped bootstrap with other ports, and with a listener per variant; port 0 where Envoy chooses. */
export function envoyBootstrap(options: BootstrapOptions): EnvoyConfig {
  const { protocol = 'http' } = options
  const file = new URL(bootstrapFiles[protocol], shippedFolder)
  const text = readFileSync(file, 'utf8')
  const bootstrap: EnvoyConfig = parse(options.collectorPort === undefined ? text : withTracing(text))
  bootstrap['admin'].address = loopback(0)
  const { listeners, clusters } = bootstrap['static_resources']

  const [shipped] = listeners as EnvoyConfig[]
  if (options.collectorPort !== undefined) traceAll(shipped as EnvoyConfig, clusters, options.collectorPort)
  bootstrap['static_resources'].listeners = Object.entries(options.listeners).map(([name, change]) => {
    const listener = { ...structuredClone(shipped), name, address: loopback(0) } as EnvoyConfig
    const connectionManager = listener['filter_chains'][0].filters[0].typed_config
    const extAuthz = connectionManager.http_filters[0].typed_config
    change({ listener, connectionManager, extAuthz })
    return listener
  })

  const brokerCluster = clusterNamed(clusters, 'dex_token_broker')
  brokerCluster['load_assignment'].endpoints[0].lb_endpoints = options.brokers.map(ports => ({
    endpoint: brokerEndpoint(ports, protocol),
  }))
  options.changeBrokerCluster?.(brokerCluster)
  clusterNamed(clusters, 'backend')['load_assignment'].endpoints[0].lb_endpoints = [
    { endpoint: { address: loopback(options.backendPort) } },
  ]
  return bootstrap
}

/** Removes the marks of a comment from the regions about tracing. */
function withTracing(text: string): string {
  return text.replace(/^ *# #region (tracing.*)\n([\s\S]*?)^ *# #endregion \1\n/gm, (_, __, lines: string) =>
    lines.replace(/^( *)# /gm, '$1'),
  )
}

function traceAll(listener: EnvoyConfig, clusters: EnvoyConfig[], collectorPort: number): void {
  listener['filter_chains'][0].filters[0].typed_config.tracing.random_sampling.value = 100
  clusterNamed(clusters, 'otel_collector')['load_assignment'].endpoints[0].lb_endpoints = [
    { endpoint: { address: loopback(collectorPort) } },
  ]
}

function brokerEndpoint({ port, adminPort, grpcPort }: BrokerPorts, protocol: CheckProtocol): EnvoyConfig {
  if (protocol === 'http') {
    return { address: loopback(port), health_check_config: { port_value: adminPort } }
  }
  if (grpcPort === undefined) throw new TypeError('the broker has no listener for gRPC')
  return { address: loopback(grpcPort) }
}

function clusterNamed(clusters: EnvoyConfig[], name: string): EnvoyConfig {
  const found = clusters.find(cluster => cluster['name'] === name)
  if (found === undefined) throw new Error(`the bootstrap has no cluster ${name}`)
  return found
}

function loopback(port: number): EnvoyConfig {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
