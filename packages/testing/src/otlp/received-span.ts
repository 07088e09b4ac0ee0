import { bytesIn, numberIn, textIn, type WireFields, wireFields } from './wire-fields.ts'

/** A span as a collector receives it. */
export interface ReceivedSpan {
  readonly service: string
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string
  readonly traceState: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly failed: boolean
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']

/** Reads an `ExportTraceServiceRequest` of OTLP. */
export function spansIn(request: Buffer): readonly ReceivedSpan[] {
  return messagesIn(wireFields(request), 1).flatMap(ofResource => {
    const [resource = new Map()] = messagesIn(ofResource, 1)
    const service = String(attributesIn(resource, 1)['service.name'] ?? '')
    return messagesIn(ofResource, 2).flatMap(ofScope =>
      messagesIn(ofScope, 2).map(span => spanOf(span, service)),
    )
  })
}

function spanOf(span: WireFields, service: string): ReceivedSpan {
  const [status = new Map()] = messagesIn(span, 15)
  return {
    service,
    name: textIn(span, 5),
    kind: kinds[Number(numberIn(span, 6))] ?? 'unspecified',
    traceId: hexIn(span, 1),
    spanId: hexIn(span, 2),
    parentSpanId: hexIn(span, 4),
    traceState: textIn(span, 3),
    attributes: attributesIn(span, 9),
    links: messagesIn(span, 13).map(link => ({ traceId: hexIn(link, 1), spanId: hexIn(link, 2) })),
    failed: numberIn(status, 3) === 2n,
  }
}

function attributesIn(fields: WireFields, number: number): Record<string, unknown> {
  return Object.fromEntries(
    messagesIn(fields, number).map(attribute => {
      const [value = new Map()] = messagesIn(attribute, 2)
      return [textIn(attribute, 1), anyValue(value)]
    }),
  )
}

/** Text or a whole number; other values are not used here. */
function anyValue(value: WireFields): string | number | undefined {
  if (value.has(1)) return textIn(value, 1)
  return value.has(3) ? Number(numberIn(value, 3)) : undefined
}

function messagesIn(fields: WireFields, number: number): readonly WireFields[] {
  return bytesIn(fields, number).map(wireFields)
}

function hexIn(fields: WireFields, number: number): string {
  return bytesIn(fields, number).at(-1)?.toString('hex') ?? ''
}
