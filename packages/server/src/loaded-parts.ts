import type { Logger } from 'pino'
import type { Config } from './config/config.ts'
import type { grpcListener } from './grpc/grpc-listener.ts'
import { ServerStore } from './shared-store/server-store.ts'
import { startTraces } from './tracing/start-traces.ts'
import type { Traces } from './tracing/traces.ts'

/** The parts that are loaded only where they are needed, because their libraries take time and memory. */
export interface LoadedParts {
  readonly store: ServerStore | undefined
  readonly grpc: typeof grpcListener | undefined
  readonly traces: Traces | undefined
}

/** Loads the parts that a configuration needs. */
export async function loadParts(config: Config, logger: Logger): Promise<LoadedParts> {
  const grpc = config.grpc && (await import('./grpc/grpc-listener.ts'))
  const store = await ServerStore.open(config, logger)
  const traces = await startTraces(config, logger)
  return { store, grpc: grpc?.grpcListener, traces }
}
