import { shownUrl } from '@broker/core/options'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'

type Done = Parameters<SpanExporter['export']>[1]
type ExportResult = Parameters<Done>[0]

const hint =
  'check that OTEL_EXPORTER_OTLP_ENDPOINT is the OTLP receiver of the collector for HTTP, mostly on port 4318'

/** Logs the first failure of an exporter, and the first success after it. */
export class ReportedExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #url: string
  readonly #logger: Logger
  #isFailing = false

  constructor(exporter: SpanExporter, { url, logger }: { readonly url: string; readonly logger: Logger }) {
    this.#exporter = exporter
    this.#url = shownUrl(url)
    this.#logger = logger
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, result => {
      this.#note(result)
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  #note({ code, error }: ExportResult): void {
    const isFailing = code !== 0
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    const endpoint = this.#url
    if (!isFailing) this.#logger.info({ endpoint }, 'spans are sent again')
    // The message can contain what the collector answered.
    else this.#logger.warn({ endpoint, cause: causeOf(error), hint }, 'spans cannot be sent and are dropped')
  }
}

/** The status of the answer, or the system's code. */
function causeOf(error: unknown): string | number | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}
