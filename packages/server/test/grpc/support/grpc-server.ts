import type { AddressInfo } from 'node:net'
import { GracefulGrpcStop } from '../../../src/grpc/graceful-grpc-stop.ts'
import type { GrpcFault } from '../../../src/grpc/grpc-fault.ts'
import { type GrpcLimits, grpcLimits } from '../../../src/grpc/grpc-limits.ts'
import type { GrpcMethod } from '../../../src/grpc/grpc-method.ts'
import { GrpcServer } from '../../../src/grpc/grpc-server.ts'
import type { ListenerTls } from '../../../src/tls/listener-tls.ts'

/** What a test sets of a server. */
export interface GrpcServerParts {
  readonly methods?: Readonly<Record<string, GrpcMethod>>
  readonly limits?: Partial<GrpcLimits>
  readonly onError?: (error: unknown) => void
  readonly onFault?: (fault: GrpcFault) => void
  readonly onStop?: () => void
  readonly tls?: ListenerTls
}

/** A server of gRPC without a broker. */
export interface GrpcServerUnderTest extends AsyncDisposable {
  readonly port: number
  stop(timeoutMs: number): Promise<boolean>
}

/** Starts a server with limits that are short enough for a test. */
export async function startGrpcServer({
  methods = {},
  limits,
  onError = () => {},
  onFault = () => {},
  onStop,
  tls,
}: GrpcServerParts): Promise<GrpcServerUnderTest> {
  const all: GrpcLimits = {
    ...grpcLimits,
    maxConnectionAgeMs: undefined,
    maxConnectionAgeGraceMs: () => 1_000,
    ...limits,
  }
  const grpc = new GrpcServer(new Map(Object.entries(methods)), all, { onError, onFault }, tls)
  const stopping = new GracefulGrpcStop(grpc, onStop, tls?.endHandshakes)
  await new Promise<void>(resolve => {
    grpc.server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = grpc.server.address() as AddressInfo
  return {
    port,
    stop: timeoutMs => stopping.stop(timeoutMs),
    [Symbol.asyncDispose]: async () => {
      if (grpc.server.listening) await stopping.stop(0)
    },
  }
}
