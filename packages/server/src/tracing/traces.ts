import { setTimeout as delay } from 'node:timers/promises'
import type { Tracer } from '@broker/core'
import { openTelemetryTracer } from '@broker/core/opentelemetry'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { version } from '../version.ts'
import { ReportedExporter } from './reported-exporter.ts'
import { samplerOf } from './sampler-of.ts'

export interface TracesOptions
  extends Pick<Config, 'traceServiceName' | 'traceSampler' | 'traceSamplingRatio'> {
  /** URL of the collector, without `/v1/traces`. */
  readonly endpoint: string
}

/** The spans of the server, sent to a collector in batches. A collector that fails or hangs delays no check: spans are dropped. */
export class Traces {
  readonly tracer: Tracer
  readonly #provider: TracerProvider

  constructor(options: TracesOptions, logger: Logger) {
    const { endpoint, traceServiceName } = options
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
    const exporter = new ReportedExporter(new OTLPTraceExporter({ url }), { url, logger })
    this.#provider = new TracerProvider({
      sampler: samplerOf(options),
      resource: defaultResource()
        .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
        .merge(resourceFromAttributes({ 'service.name': traceServiceName, 'service.version': version() })),
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    })
    this.tracer = openTelemetryTracer(this.#provider)
  }

  /** Sends what has not been sent, within `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const sent = new AbortController()
    const late = delay(timeoutMs, undefined, { signal: sent.signal })
    await Promise.race([this.#provider.shutdown(), late]).catch(() => {})
    late.catch(() => {})
    sent.abort()
  }
}
