/** Limits of the gRPC listener; each prevents that one connection exhausts the process. */
export interface GrpcLimits {
  /**
   * A message of a caller. Envoy accepts 60 KiB of headers, and the path is in the message twice; a smaller limit would turn a legal
   * request into an error, which `failure_mode_allow` lets pass.
   */
  readonly maxMessageBytes: number
  /** Calls at the same time on a connection; Envoy opens another one for more. */
  readonly maxConcurrentStreams: number
  /** How long a caller may take to send a message, or a new connection its first bytes. */
  readonly receiveTimeoutMs: number
  /** A connection without calls for so long is closed. */
  readonly idleTimeoutMs: number
  /** A connection older than this is replaced, so that load spreads to new replicas; `undefined`: never. */
  readonly maxConnectionAgeMs: number | undefined
  /** How long calls of a connection that is replaced may still run. */
  readonly maxConnectionAgeGraceMs: number
}

export const grpcLimits: Omit<GrpcLimits, 'maxConnectionAgeMs' | 'maxConnectionAgeGraceMs'> = {
  maxMessageBytes: 256 * 1024,
  maxConcurrentStreams: 1_000,
  receiveTimeoutMs: 10_000,
  idleTimeoutMs: 600_000,
}
