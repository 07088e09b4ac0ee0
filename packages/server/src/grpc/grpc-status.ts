import type { GrpcFault } from './grpc-fault.ts'

/** The status codes of gRPC that the broker sends. */
export const grpcStatus = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The status code of a call that failed. */
export type FailureStatus = Exclude<(typeof grpcStatus)[keyof typeof grpcStatus], 0>

/** Ends a call with a status and a message for its caller, which must be printable ASCII. */
export class GrpcFailure extends Error {
  readonly status: FailureStatus
  readonly fault: GrpcFault

  constructor(status: FailureStatus, message: string, fault: GrpcFault = 'malformed') {
    super(message)
    this.status = status
    this.fault = fault
  }
}
