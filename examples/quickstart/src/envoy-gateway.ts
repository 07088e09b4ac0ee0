import { envoyBootstrap, startEnvoy } from '@broker/testing'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { QuickstartFailure } from './quickstart-failure.ts'

export interface EnvoyGatewayOptions extends GatewayOptions {
  /** The broker's admin listener, for Envoy's health checks. */
  readonly brokerAdminUrl: string
}

/** Starts a real Envoy with `deploy/envoy/envoy.yaml`: what runs here is what is shipped, only addresses differ. */
export async function startEnvoyGateway(
  binary: string,
  { port, brokerUrl, brokerAdminUrl, backendUrl }: EnvoyGatewayOptions,
): Promise<Gateway> {
  const bootstrap = envoyBootstrap({
    brokers: [{ port: portOf(brokerUrl), adminPort: portOf(brokerAdminUrl) }],
    backendPort: portOf(backendUrl),
    listeners: {
      ingress: ({ listener }) => {
        listener['address'].socket_address.port_value = port
      },
    },
  })
  try {
    const envoy = await startEnvoy(binary, bootstrap)
    return {
      url: `http://127.0.0.1:${envoy.port('ingress')}`,
      description: 'a real Envoy with deploy/envoy/envoy.yaml',
      close: async () => envoy[Symbol.asyncDispose](),
    }
  } catch (error) {
    throw new QuickstartFailure(
      `Envoy did not start (npm start -- --no-envoy does without):\n${(error as Error).message}`,
    )
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
