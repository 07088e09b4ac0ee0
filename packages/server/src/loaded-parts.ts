import type { grpcListener } from './grpc/grpc-listener.ts'
import type { ServerStore } from './shared-store/server-store.ts'
import type { Traces } from './tracing/traces.ts'

/** The parts of a server that are loaded only where they are needed. */
export interface LoadedParts {
  readonly store: ServerStore | undefined
  readonly grpc: typeof grpcListener | undefined
  readonly traces: Traces | undefined
}
