/** Nobody is sent away for longer, whatever an upstream asks for, in milliseconds. */
const maxRetryAfterMs = 60 * 60 * 1000

/**
 * The value of a `Retry-After` header (RFC 9110 section 10.2.3) in milliseconds from `nowMs`; what does not lie in the
 * future says nothing.
 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined
}
