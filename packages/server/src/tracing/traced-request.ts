import type { CheckFacts, CheckRequest, Span } from '@broker/core'

/** A check with its span. Reads everything else of the request late, as the check does. */
export class TracedRequest implements CheckRequest {
  readonly span: Span
  /** Also where nobody else reads them, unless the trace is not sampled. */
  readonly facts: CheckFacts | undefined
  readonly #request: CheckRequest

  constructor(request: CheckRequest, span: Span) {
    this.#request = request
    this.span = span
    this.facts = request.facts ?? (isSampled(span) ? {} : undefined)
  }

  get headers(): readonly string[] {
    return this.#request.headers
  }

  get joinedHeaders(): boolean | undefined {
    return this.#request.joinedHeaders
  }

  get method(): string | undefined {
    return this.#request.method
  }

  get path(): string | undefined {
    return this.#request.path
  }

  get maskedPath(): boolean | undefined {
    return this.#request.maskedPath
  }

  get context(): Readonly<Record<string, string>> | undefined {
    return this.#request.context
  }

  /** With the ids of this span where it is kept; its parent is in the trace. */
  get logFields(): Readonly<Record<string, string>> | undefined {
    const { logFields } = this.#request
    if (!isSampled(this.span)) return logFields
    const { traceId, spanId } = this.span.context
    return { ...logFields, trace_id: traceId, span_id: spanId }
  }

  get timeoutMs(): number | undefined {
    return this.#request.timeoutMs
  }

  get signal(): AbortSignal | undefined {
    return this.#request.signal
  }
}

/** Whether anything of a span is kept. */
export function isSampled({ context }: Span): boolean {
  return (context.traceFlags & 1) === 1
}
