import type { CheckRequest } from '@broker/core'

/** Envoy's request ids have 36 characters. No signed JWT is as short as this. */
const maxIdLength = 64
const idPattern = /^[\w.:=@/+-]+$/
const traceparentPattern = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-|$)/

/** Fields that connect the log lines of a check to Envoy's access log and to a trace. */
export interface CheckLogFields {
  readonly protocol: string
  /** `x-request-id`; `invalid` for one that is not 1 to 64 characters of an id. */
  readonly request_id?: string
  /** From `traceparent` (W3C Trace Context), if it is well-formed; so is `span_id`. */
  readonly trace_id?: string
  readonly span_id?: string
}

/**
 * Reads the ids from the headers of a check, the first where one is repeated. Callers can choose them: nothing else than an id comes
 * through, so that they forge no line and put no secret into the log.
 */
export function logFieldsOf(
  { headers }: Pick<CheckRequest, 'headers'>,
  protocol: 'http' | 'grpc',
): Readonly<Record<string, string>> & CheckLogFields {
  const requestId = firstValue(headers, 'x-request-id')
  const [, traceId, spanId] = traceparentPattern.exec(firstValue(headers, 'traceparent') ?? '') ?? []
  return {
    protocol,
    ...(requestId !== undefined && { request_id: shownId(requestId) }),
    ...(traceId !== undefined && spanId !== undefined && { trace_id: traceId, span_id: spanId }),
  }
}

function shownId(id: string): string {
  return id.length <= maxIdLength && idPattern.test(id) ? id : 'invalid'
}

function firstValue(headers: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === wanted) return headers[index + 1]
  }
  return undefined
}
