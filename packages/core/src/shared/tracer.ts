/** The identity of a span across processes (W3C Trace Context). */
export interface SpanContext {
  /** 32 hexadecimal digits, in lower case. */
  readonly traceId: string
  /** 16 hexadecimal digits, in lower case. */
  readonly spanId: string
  /** The flags of `traceparent`; the lowest bit says that the trace is sampled. */
  readonly traceFlags: number
  /** The value of `tracestate`, if there is one. */
  readonly traceState?: string | undefined
}

/** Attributes of a span. */
export type SpanAttributes = Readonly<Record<string, string | number>>

/** A span that has started. */
export interface Span {
  /** Constant; all ids are zeros when the span belongs to no trace. */
  readonly context: SpanContext
  /** Adds attributes, or replaces attributes of the same name. */
  setAttributes(attributes: SpanAttributes): void
  /** Links the span to another one, on whose result it waits. */
  addLink(context: SpanContext): void
  /** Ends the span; with the kind of an error, it failed. */
  end(errorType?: string): void
}

/** The parts of a span that are known when it starts. */
export interface SpanStart {
  /** The name of the span, without values of the request. */
  readonly name: string
  /** `server` for an incoming request, `client` for an outgoing one. */
  readonly kind: 'server' | 'client'
  /** The attributes that are known at the start; never a secret. */
  readonly attributes: SpanAttributes
  /** The parent. `undefined`: whatever the tracer takes for it, such as the active span. */
  readonly parent?: SpanContext | undefined
}

/** Records spans. `openTelemetryTracer` of `@broker/core/opentelemetry` makes one. Its methods must not throw. */
export interface Tracer {
  /** Starts a span now. Must not throw. */
  start(span: SpanStart): Span
}
