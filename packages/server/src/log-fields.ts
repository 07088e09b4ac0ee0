import { type ParentSource, parentOfCheck } from './tracing/parent-of.ts'

/** Envoy's request ids have 36 characters. No signed JWT is as short as this. */
const maxIdLength = 64
const idPattern = /^[\w.:=@/+-]+$/

/** Shorter texts can be equal to a part of a credential by chance. */
const minPartLength = 8

/** Fields that connect the log lines of a check to Envoy's access log and to a trace. */
export type CheckLogFields = {
  readonly protocol: string
  /** `x-request-id`; `invalid` for one that is not 1 to 64 characters of an id, or repeats a credential. */
  readonly request_id?: string
  /** From `traceparent` (W3C Trace Context), if it is well-formed; so is `span_id`. */
  readonly trace_id?: string
  readonly span_id?: string
}

/**
 * Reads the ids from the headers of a check, the first `x-request-id` of several. Callers can choose them: only an id comes through, and
 * none that repeats one of the credentials, so that they forge no line and put no secret into the log.
 */
export function logFieldsOf(
  request: ParentSource,
  protocol: string,
  credentialHeaders: readonly string[],
): CheckLogFields {
  const { headers } = request
  const requestId = firstValue(headers, 'x-request-id')
  const parent = parentOfCheck(request)
  return {
    protocol,
    ...(requestId !== undefined && {
      request_id: isShown(requestId, headers, credentialHeaders) ? requestId : 'invalid',
    }),
    ...(parent !== undefined && { trace_id: parent.traceId, span_id: parent.spanId }),
  }
}

function isShown(id: string, headers: readonly string[], credentialHeaders: readonly string[]): boolean {
  if (id.length > maxIdLength || !idPattern.test(id)) return false
  return !headers.some((name, index) => {
    if (index % 2 === 1 || !isCredential(name.toLowerCase(), credentialHeaders)) return false
    return repeats(id, headers[index + 1] ?? '')
  })
}

function isCredential(name: string, credentialHeaders: readonly string[]): boolean {
  return name === 'authorization' || credentialHeaders.includes(name)
}

function repeats(id: string, credential: string): boolean {
  return (
    id === credential ||
    (id.length >= minPartLength && credential.includes(id)) ||
    (credential.length >= minPartLength && id.includes(credential))
  )
}

function firstValue(headers: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === wanted) return headers[index + 1]
  }
  return undefined
}
