import type { Checks } from '../checks.ts'
import { authorizationCheck, authorizationService } from './authorization.ts'
import type { GrpcMethod, GrpcMethods } from './grpc-method.ts'
import { type Health, healthService } from './health.ts'
import { reflectionInfo, reflectionServices } from './reflection.ts'

/** Every method of the gRPC listener. */
export function grpcMethods(checks: Checks, health: Health): GrpcMethods {
  return new Map<string, GrpcMethod>([
    [`/${authorizationService}/Check`, authorizationCheck(checks)],
    [`/${healthService}/Check`, health.check],
    [`/${healthService}/Watch`, health.watch],
    ...reflectionServices.map(service => [`/${service}/ServerReflectionInfo`, reflectionInfo] as const),
  ])
}
