import { AddressListener } from '../address-listener.ts'
import type { Checks } from '../checks.ts'
import type { ListenAddress } from '../config/values/listen-address.ts'
import { GracefulGrpcStop } from './graceful-grpc-stop.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import { grpcMethods } from './grpc-methods.ts'
import { GrpcServer } from './grpc-server.ts'
import { Health } from './health.ts'

/** The parts of the broker behind the gRPC listener. */
export interface GrpcParts {
  readonly checks: Checks
  readonly notReadyBecause: () => string | undefined
  readonly limits: GrpcLimits
  /** Called with each unexpected error. */
  readonly onError: (error: unknown) => void
}

/** Creates the listener of GRPC_LISTEN_ADDR: the checks of Envoy over gRPC, health and reflection. */
export function grpcListener(where: ListenAddress, parts: GrpcParts): AddressListener {
  const createServer = () => {
    const health = new Health(parts.notReadyBecause)
    const server = new GrpcServer(grpcMethods(parts.checks, health), parts.limits, parts.onError)
    return new GracefulGrpcStop(server, () => health.tell())
  }
  return new AddressListener('GRPC_LISTEN_ADDR', createServer, where)
}
