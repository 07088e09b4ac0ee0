import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { EnvoyConfig, ListenerParts } from './envoy-bootstrap.ts'

const shippedFile = new URL('../../../deploy/envoy/without-broker.yaml', import.meta.url)

export interface WithoutBrokerOptions {
  /** `http://127.0.0.1:<port>/dex`. */
  readonly issuer: string
  readonly clientId: string
  /** Where Envoy finds the client's secret; see `secretResource`. */
  readonly secretFile: string
  readonly backendPort: number
  /** The HTTP filters are `jwt_authn`, `credential_injector` and `router`. */
  readonly changeListener?: ((parts: Omit<ListenerParts, 'extAuthz'>) => void) | undefined
}

/** The shipped bootstrap that needs no broker, with other ports, another client and another file for its secret. */
export function bootstrapWithoutBroker(options: WithoutBrokerOptions): EnvoyConfig {
  const { issuer, clientId, secretFile, backendPort, changeListener } = options
  const { port, pathname } = new URL(issuer)
  if (pathname !== '/dex')
    throw new TypeError(`the shipped bootstrap is for an issuer with the path /dex, not ${issuer}`)
  const text = readFileSync(shippedFile, 'utf8')
    .replaceAll('127.0.0.1:5556', `127.0.0.1:${port}`)
    .replaceAll('port_value: 5556', `port_value: ${port}`)
    .replaceAll('port_value: 9000', `port_value: ${backendPort}`)
    .replaceAll('port_value: 9901', 'port_value: 0')
    .replaceAll('port_value: 10000', 'port_value: 0')
    .replaceAll('client_id: reports', `client_id: ${clientId}`)
    .replaceAll('/etc/envoy/client-secret.yaml', secretFile)
  const bootstrap: EnvoyConfig = parse(text)
  const [listener] = bootstrap['static_resources'].listeners
  changeListener?.({ listener, connectionManager: listener.filter_chains[0].filters[0].typed_config })
  return bootstrap
}

/** The content of the file with the client's secret. */
export function secretResource(secret: string): string {
  const generic = { secret: { inline_string: secret } }
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'
  return JSON.stringify({ resources: [{ '@type': type, name: 'client-secret', generic_secret: generic }] })
}
