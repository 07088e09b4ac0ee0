import type { ServerOptions } from 'node:http2'
import type { GrpcLimits } from './grpc-limits.ts'

/** A peer that vanished without a word is found after this, and the retries of the system. */
const keepAliveDelayMs = 60_000

/** Settings of Node's server for the limits of the gRPC listener. */
export function serverOptions({ maxConcurrentStreams }: GrpcLimits): ServerOptions {
  return {
    settings: { maxConcurrentStreams, enablePush: false, maxHeaderListSize: 16 * 1024 },
    // A proxy cancels the calls of many clients at once, and all of its calls are on one connection.
    streamResetBurst: 10_000,
    streamResetRate: 1_000,
    maxSessionMemory: 64,
    // Passed on to the server of TCP, which the types do not know.
    ...{ keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs },
  }
}
