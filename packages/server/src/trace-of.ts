import type { CheckRequest } from '@broker/core'

/** Far more than the 36 characters of Envoy's request id and the 55 of a `traceparent`. */
const maxLength = 128

/** Ids that connect a log line to Envoy's access log and to a trace; absent if Envoy does not forward the header. */
export interface Trace {
  readonly requestId?: string
  readonly traceparent?: string
}

/** Reads `x-request-id` and `traceparent` from a check: printable ASCII only, cut after 128 characters. */
export function traceOf({ headers }: Pick<CheckRequest, 'headers'>): Trace {
  const trace: { requestId?: string; traceparent?: string } = {}
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const value = headers[index + 1]
    switch (headers[index]?.toLowerCase()) {
      case 'x-request-id':
        trace.requestId ??= shown(value)
        break
      case 'traceparent':
        trace.traceparent ??= shown(value)
        break
    }
  }
  return trace
}

function shown(value = ''): string {
  return value.slice(0, maxLength).replace(/[^ -~]/g, '?')
}
