import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const bootstrapFile = new URL('../../../deploy/envoy/envoy.yaml', import.meta.url)

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
  readonly brokers: readonly { readonly port: number; readonly adminPort: number }[]
  readonly backendPort: number
  readonly listeners: ListenerVariants
  /** Changes the cluster of the brokers. */
  readonly changeBrokerCluster?: ((cluster: EnvoyConfig) => void) | undefined
}

/** The shipped bootstrap with other ports, and with a listener per variant; port 0 where Envoy chooses. */
export function envoyBootstrap(options: BootstrapOptions): EnvoyConfig {
  const bootstrap: EnvoyConfig = parse(readFileSync(bootstrapFile, 'utf8'))
  bootstrap['admin'].address = loopback(0)
  const { listeners, clusters } = bootstrap['static_resources']

  const [shipped] = listeners as EnvoyConfig[]
  bootstrap['static_resources'].listeners = Object.entries(options.listeners).map(([name, change]) => {
    const listener = { ...structuredClone(shipped), name, address: loopback(0) } as EnvoyConfig
    const connectionManager = listener['filter_chains'][0].filters[0].typed_config
    const extAuthz = connectionManager.http_filters[0].typed_config
    change({ listener, connectionManager, extAuthz })
    return listener
  })

  const brokerCluster = clusterNamed(clusters, 'dex_token_broker')
  brokerCluster['load_assignment'].endpoints[0].lb_endpoints = options.brokers.map(({ port, adminPort }) => ({
    endpoint: { address: loopback(port), health_check_config: { port_value: adminPort } },
  }))
  options.changeBrokerCluster?.(brokerCluster)
  clusterNamed(clusters, 'backend')['load_assignment'].endpoints[0].lb_endpoints = [
    { endpoint: { address: loopback(options.backendPort) } },
  ]
  return bootstrap
}

function clusterNamed(clusters: EnvoyConfig[], name: string): EnvoyConfig {
  const found = clusters.find(cluster => cluster['name'] === name)
  if (found === undefined) throw new Error(`${bootstrapFile} has no cluster ${name}`)
  return found
}

function loopback(port: number): EnvoyConfig {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
