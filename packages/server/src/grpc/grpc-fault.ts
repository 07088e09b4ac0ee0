/** The reasons why the gRPC listener ends a call or a connection without a verdict. */
export const grpcFaults = [
  'malformed',
  'too_large',
  'compressed',
  'content_type',
  'unknown_method',
  'unknown_service',
  'timeout',
  'unread',
  'overload',
  'connection_limit',
  'protocol',
  'stopping',
  'internal',
] as const

/** Why a call or a connection ended without a verdict. A closed set, so that a caller cannot create series of a metric. */
export type GrpcFault = (typeof grpcFaults)[number]
