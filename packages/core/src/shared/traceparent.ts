import type { SpanContext } from './tracer.ts'

const noTrace = '0'.repeat(32)

/** The headers that carry a span's context (W3C Trace Context section 3); none for a span that belongs to no trace. */
export function traceHeaders(context: SpanContext | undefined): Readonly<Record<string, string>> {
  if (context === undefined || context.traceId === noTrace) return {}
  const { traceId, spanId, traceFlags, traceState } = context
  const flags = traceFlags.toString(16).padStart(2, '0')
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...(traceState && { tracestate: traceState }),
  }
}
