import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { CheckProtocol } from './check-protocol.ts'
import type { EnvoyConfig } from './envoy-bootstrap.ts'

const shippedFile = new URL('../../../deploy/envoy/tls.yaml', import.meta.url)

export interface EnvoyTlsOptions {
  readonly protocol: CheckProtocol
  /** The folder with Envoy's `tls.crt`, `tls.key` and `ca.crt`. */
  readonly folder: string
  /** A DNS name in the broker's certificate. */
  readonly name: string
}

/** Adds the shipped TLS settings to the cluster of the brokers; for `changeBrokerCluster`. */
export function envoyTls({ protocol, folder, name }: EnvoyTlsOptions): (cluster: EnvoyConfig) => void {
  const text = readFileSync(shippedFile, 'utf8')
    .replaceAll('/run/tls', folder)
    .replaceAll('dex-token-broker.my-app.svc', name)
  const { connect_timeout, transport_socket, transport_socket_matches } = parse(text) as EnvoyConfig
  return cluster => {
    Object.assign(cluster, { connect_timeout, transport_socket })
    if (protocol === 'http') cluster['transport_socket_matches'] = transport_socket_matches
    Object.assign(cluster['health_checks'][0], ofHealthCheck(text, protocol))
  }
}

/** The keys of the region that is a comment, because they belong elsewhere in the cluster. */
function ofHealthCheck(text: string, protocol: CheckProtocol): EnvoyConfig {
  const name = `health-check-${protocol}`
  const region = new RegExp(`^# #region ${name}\n([^]*?)^# #endregion ${name}$`, 'm').exec(text)?.[1]
  if (region === undefined) throw new Error(`tls.yaml has no region ${name}`)
  return parse(region.replace(/^# /gm, '')) as EnvoyConfig
}
