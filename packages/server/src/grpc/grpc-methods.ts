import { authorizationService } from './authorization.ts'
import type { GrpcMethod, GrpcMethods, UnaryMethod } from './grpc-method.ts'
import { type Health, healthService } from './health.ts'
import { reflectionInfo, reflectionServices } from './reflection.ts'

/** Every method of the gRPC listener. */
export function grpcMethods(check: UnaryMethod, health: Health): GrpcMethods {
  return new Map<string, GrpcMethod>([
    [`/${authorizationService}/Check`, check],
    [`/${healthService}/Check`, health.check],
    [`/${healthService}/Watch`, health.watch],
    ...reflectionServices.map(service => [`/${service}/ServerReflectionInfo`, reflectionInfo] as const),
  ])
}
