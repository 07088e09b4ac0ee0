import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Traces } from './traces.ts'

/**
 * Starts to send spans to OTEL_EXPORTER_OTLP_ENDPOINT; `undefined` without it, or with OTEL_SDK_DISABLED. OpenTelemetry is an optional dependency, and loaded only
 * here: without it the broker works, and warns.
 */
export async function startTraces(config: Config, logger: Logger): Promise<Traces | undefined> {
  const { traceEndpoint: endpoint, tracesDisabled } = config
  if (endpoint === undefined || tracesDisabled) return undefined
  try {
    const { Traces } = await import('./traces.ts')
    return new Traces({ ...config, endpoint }, logger)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const hint = 'install the optional dependencies of @broker/server, or unset OTEL_EXPORTER_OTLP_ENDPOINT'
    logger.warn({ hint }, 'traces are off: OpenTelemetry is not installed')
    return undefined
  }
}
