/** Limits of the gRPC listener; each prevents that callers exhaust the process. */
export interface GrpcLimits {
  /**
   * A message of a caller. Envoy accepts 60 KiB of headers, and the path is in the message twice; a smaller limit would turn a legal
   * request into an error, which `failure_mode_allow` lets pass.
   */
  readonly maxMessageBytes: number
  /**
   * Connections at the same time. Each worker of an Envoy has one: enough for 128 gateways of 16 workers, or 1,000 sidecars of two. An
   * idle one needs about 25 KiB. Envoy fails the checks of a connection that is refused.
   */
  readonly maxConnections: number
  /**
   * Bytes of incomplete messages on a connection. Envoy sends a message at once, and nearly all fit into one frame, of which nothing
   * is kept: this is for 16 of the largest messages that arrive in pieces together.
   */
  readonly maxHeldBytesPerConnection: number
  /** The same for all connections; above it, the calls that wait longest give way. */
  readonly maxHeldBytes: number
  /**
   * Calls of all connections that wait for their caller: to send the message, or to read the answer. Calls of Envoy hardly wait. Each
   * needs about 10 KiB. Above it, the calls that wait longest give way.
   */
  readonly maxWaitingCalls: number
  /** Health watches and reflection at the same time on a connection. A gRPC client needs one or two; Envoy needs none. */
  readonly maxStreamingCallsPerConnection: number
  /** The same for all connections. */
  readonly maxStreamingCalls: number
  /** Calls at the same time on a connection; Envoy opens another one for more. */
  readonly maxConcurrentStreams: number
  /** How long a caller may take to send a message or to read an answer, or a new connection to send its first bytes. */
  readonly receiveTimeoutMs: number
  /** A connection without calls for so long is closed. */
  readonly idleTimeoutMs: number
  /** A connection older than this is replaced, so that load spreads to new replicas; `undefined`: never. */
  readonly maxConnectionAgeMs: number | undefined
  /** How long calls of a connection that is replaced may still run. Asked each time, because a reload may change it. */
  readonly maxConnectionAgeGraceMs: () => number
}

export const grpcLimits: Omit<GrpcLimits, 'maxConnectionAgeMs' | 'maxConnectionAgeGraceMs'> = {
  maxMessageBytes: 256 * 1024,
  maxConnections: 2_048,
  maxHeldBytesPerConnection: 4 * 1024 * 1024,
  maxHeldBytes: 32 * 1024 * 1024,
  maxWaitingCalls: 8_192,
  maxStreamingCallsPerConnection: 16,
  maxStreamingCalls: 256,
  maxConcurrentStreams: 1_000,
  receiveTimeoutMs: 10_000,
  idleTimeoutMs: 600_000,
}
