import type { DevDex, DevDexOptions } from '@broker/dev-dex'
import { type BrokerUnderTest, startBroker } from '../../support/start-broker.ts'
import { EnvoyClient } from './envoy-client.ts'

/** A server with a gRPC listener, and a client with one connection to it. */
export interface GrpcBroker extends BrokerUnderTest {
  readonly grpcPort: number
  readonly envoy: EnvoyClient
}

type Environment = Readonly<Record<string, string>>

/** Starts a server like `startBroker`, with a gRPC listener. */
export async function startGrpcBroker(
  environment: Environment | ((dex: DevDex) => Environment) = {},
  options: DevDexOptions & { byManualClock?: boolean } = {},
): Promise<GrpcBroker> {
  const broker = await startBroker(
    dex => ({
      GRPC_LISTEN_ADDR: '127.0.0.1:0',
      ...(typeof environment === 'function' ? environment(dex) : environment),
    }),
    options,
  )
  const grpcPort = broker.server.grpcAddress?.port ?? 0
  const envoy = new EnvoyClient(grpcPort)
  return {
    ...broker,
    grpcPort,
    envoy,
    async [Symbol.asyncDispose]() {
      await envoy[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
    },
  }
}
