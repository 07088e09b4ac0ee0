import type { Span, SpanAttributes, SpanContext, SpanStart, Tracer } from '../../src/shared/tracer.ts'

export interface RecordedSpan {
  readonly name: string
  readonly kind: SpanStart['kind']
  readonly context: SpanContext
  readonly parent: SpanContext | undefined
  readonly attributes: SpanAttributes
  readonly links: readonly SpanContext[]
  /** `undefined` as long as the span has not ended; empty for success. */
  readonly end: string | undefined
}

/** Keeps what is traced. Its ids are numbers in the order of the starts. */
export class RecordingTracer implements Tracer {
  readonly spans: RecordedSpan[] = []
  #last = 0

  start({ name, kind, attributes, parent }: SpanStart): Span {
    const number = (++this.#last).toString(16)
    const context: SpanContext = {
      traceId: parent?.traceId ?? number.padStart(32, 'a'),
      spanId: number.padStart(16, 'b'),
      traceFlags: 1,
      ...(parent?.traceState && { traceState: parent.traceState }),
    }
    const links: SpanContext[] = []
    const span = { name, kind, context, parent, attributes, links, end: undefined as string | undefined }
    this.spans.push(span)
    return {
      context,
      setAttributes(added) {
        span.attributes = { ...span.attributes, ...added }
      },
      addLink: linked => void links.push(linked),
      end(errorType = '') {
        if (span.end !== undefined) throw new Error(`the span ${name} ended twice`)
        span.end = errorType
      },
    }
  }

  /** The spans of a name, in the order of their starts. */
  named(name: string): readonly RecordedSpan[] {
    return this.spans.filter(span => span.name === name)
  }

  /** Starts the span of a caller. */
  caller(traceState?: string): Span {
    const parent = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1, traceState }
    return this.start({ name: 'caller', kind: 'server', attributes: {}, parent })
  }
}
