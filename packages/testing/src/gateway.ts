import type { BrokerPorts } from './broker-command.ts'
import type { CheckProtocol } from './check-protocol.ts'
import { envoyBootstrap } from './envoy-bootstrap.ts'
import { startEnvoy } from './envoy-process.ts'
import { startEnvoyStandIn } from './envoy-stand-in.ts'

export interface GatewayOptions {
  /** Without one the stand-in runs, which speaks HTTP only. */
  readonly envoyBinary: string | undefined
  /** How it asks the broker. Default: `http`. */
  readonly protocol?: CheckProtocol
  /** Port on 127.0.0.1; default: a free one. */
  readonly port?: number
  readonly broker: BrokerPorts
  readonly backendPort: number
}

/** The gateway in front of the backend, which asks the broker about every request. */
export interface Gateway extends AsyncDisposable {
  readonly port: number
}

/** Starts Envoy with the shipped bootstrap, or its stand-in with the same settings. */
export async function startGateway({
  envoyBinary,
  protocol,
  port = 0,
  broker,
  backendPort,
}: GatewayOptions): Promise<Gateway> {
  const bootstrap = envoyBootstrap({
    protocol,
    brokers: [broker],
    backendPort,
    listeners: {
      ingress: ({ listener }) => {
        listener['address'].socket_address.port_value = port
      },
    },
  })
  if (envoyBinary === undefined) {
    if (protocol === 'grpc') throw new TypeError('the stand-in for Envoy speaks HTTP only')
    return startEnvoyStandIn(bootstrap)
  }
  const envoy = await startEnvoy(envoyBinary, bootstrap)
  return { port: envoy.port('ingress'), [Symbol.asyncDispose]: () => envoy[Symbol.asyncDispose]() }
}
