import { AddressListener } from '../address-listener.ts'
import type { Checks } from '../checks.ts'
import type { ListenAddress } from '../config/values/listen-address.ts'
import type { ListenerTls } from '../tls/listener-tls.ts'
import { authorizationCheck } from './authorization.ts'
import { GracefulGrpcStop } from './graceful-grpc-stop.ts'
import { type GrpcLimits, grpcLimits } from './grpc-limits.ts'
import { grpcMethods } from './grpc-methods.ts'
import { type GrpcReports, GrpcServer } from './grpc-server.ts'
import { Health } from './health.ts'

/** The parts of the broker behind the gRPC listener. */
export interface GrpcParts
  extends GrpcReports,
    Pick<GrpcLimits, 'maxConnectionAgeMs' | 'maxConnectionAgeGraceMs'> {
  readonly checks: Checks
  readonly notReadyBecause: () => string | undefined
  /** Whether answers carry facts about the check. */
  readonly sendsMetadata: boolean
  /** `undefined` without TLS. */
  readonly tls: ListenerTls | undefined
}

/** Creates the listener of GRPC_LISTEN_ADDR: the checks of Envoy over gRPC, health and reflection. */
export function grpcListener(where: ListenAddress, parts: GrpcParts): AddressListener {
  const createServer = () => {
    const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = parts
    const limits = { ...grpcLimits, maxConnectionAgeMs, maxConnectionAgeGraceMs }
    const health = new Health(parts.notReadyBecause)
    const methods = grpcMethods(authorizationCheck(parts.checks, parts.sendsMetadata), health)
    const server = new GrpcServer(methods, limits, parts, parts.tls)
    return new GracefulGrpcStop(server, () => health.tell(), parts.tls?.endHandshakes)
  }
  return new AddressListener('GRPC_LISTEN_ADDR', createServer, where)
}
