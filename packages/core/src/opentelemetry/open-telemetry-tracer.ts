import {
  type Context,
  context,
  createTraceState,
  type SpanContext as OpenTelemetryContext,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { Span, SpanContext, SpanStart, Tracer } from '../shared/tracer.ts'
import { version } from '../shared/version.ts'

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

/**
 * Makes the option `tracer` from OpenTelemetry: its spans go to `provider`. Without an SDK they record nothing, and pass the context of
 * their parent on.
 *
 * A span without a parent belongs to the active one. Default: the global provider, also one that is registered later.
 */
export function openTelemetryTracer(provider: TracerProvider = trace.getTracerProvider()): Tracer {
  const tracer = provider.getTracer('@broker/core', version)
  return {
    start({ name, kind, attributes, parent }: SpanStart): Span {
      const within = parent === undefined ? context.active() : contextOf(parent, kind === 'server')
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, within)
      const { traceId, spanId, traceFlags, traceState } = span.spanContext()
      return {
        context: { traceId, spanId, traceFlags, traceState: traceState?.serialize() },
        setAttributes: added => void span.setAttributes(added),
        addLink: linked => void span.addLink({ context: openTelemetryContext(linked, false) }),
        end(errorType) {
          if (errorType !== undefined) {
            span.setAttribute('error.type', errorType)
            span.setStatus({ code: SpanStatusCode.ERROR })
          }
          span.end()
        },
      }
    },
  }
}

/** A parent of an incoming request is in another process. */
function contextOf(parent: SpanContext, isRemote: boolean): Context {
  return trace.setSpanContext(ROOT_CONTEXT, openTelemetryContext(parent, isRemote))
}

function openTelemetryContext(
  { traceId, spanId, traceFlags, traceState }: SpanContext,
  isRemote: boolean,
): OpenTelemetryContext {
  return {
    traceId,
    spanId,
    traceFlags,
    isRemote,
    ...(traceState && { traceState: createTraceState(traceState) }),
  }
}
