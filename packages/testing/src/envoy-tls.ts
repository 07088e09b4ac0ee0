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
  const { transport_socket, transport_socket_matches } = parse(text) as EnvoyConfig
  return cluster => {
    cluster['transport_socket'] = transport_socket
    if (protocol === 'grpc') return
    cluster['transport_socket_matches'] = transport_socket_matches
    cluster['health_checks'][0].transport_socket_match_criteria = { admin: true }
  }
}
