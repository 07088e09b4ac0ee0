import type { SpanContext } from '@broker/core'

/** W3C Trace Context section 3.2; a later version may add fields at the end. */
const pattern = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/
/** Far more than the 55 characters of version 00. */
const maxParentLength = 128
/** The length that every participant should pass on (section 3.3.1.5). */
const maxStateLength = 512
const stateMember =
  /^[a-z\d][a-z\d_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const maxStateMembers = 32

/** The parts of a check that can name the span of its caller. */
export interface ParentSource {
  readonly headers: readonly string[]
  readonly proxyHeaders?: readonly string[] | undefined
}

/** Reads the span of the proxy, or of its client where the proxy names none. */
export function parentOfCheck({ proxyHeaders, headers }: ParentSource): SpanContext | undefined {
  return (proxyHeaders && parentOf(proxyHeaders)) ?? parentOf(headers)
}

/**
 * Reads the span of the caller from header lines, by W3C Trace Context; `undefined` when `traceparent` is absent, malformed or there
 * twice. A malformed or too long `tracestate` is ignored, and so is `baggage`.
 */
export function parentOf(headers: readonly string[]): SpanContext | undefined {
  let traceparent: string | undefined
  let tracestate: string | undefined
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string
    // Most names have another length.
    if (name.length !== 11 && name.length !== 10) continue
    const value = headers[index + 1] as string
    switch (name.toLowerCase()) {
      case 'traceparent':
        if (traceparent !== undefined) return undefined
        traceparent = value
        break
      case 'tracestate':
        tracestate = tracestate === undefined ? value : `${tracestate},${value}`
        break
    }
  }
  return traceparent === undefined ? undefined : contextOf(traceparent, tracestate)
}

function contextOf(traceparent: string, tracestate = ''): SpanContext | undefined {
  if (traceparent.length > maxParentLength) return undefined
  const [, version, traceId, spanId, flags, rest] = pattern.exec(traceparent.trim()) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === '00' && rest !== undefined) return undefined
  // Only the flag that says whether the trace is sampled has a meaning in every version.
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, traceState: stateOf(tracestate) }
}

function stateOf(tracestate: string): string | undefined {
  if (tracestate.length > maxStateLength) return undefined
  const members = tracestate
    .split(',')
    .map(member => member.trim())
    .filter(member => member !== '')
  const isValid = members.length <= maxStateMembers && members.every(member => stateMember.test(member))
  return isValid && members.length > 0 ? members.join(',') : undefined
}
