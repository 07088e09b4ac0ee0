/** Nobody is sent away for longer, whatever an upstream asks for, in milliseconds. */
const maxRetryAfterMs = 60 * 60 * 1000

/**
 * The value of a `Retry-After` header (RFC 9110 section 10.2.3) in milliseconds from `nowMs`; what does not lie in the
 * future says nothing.
 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : httpDate(value) - nowMs
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined
}

/** An HTTP-date (RFC 9110 section 5.6.7), NaN for anything else: `Date.parse` takes `1.5` for a day in January. */
function httpDate(value: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(value)
    ? Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`)
    : Number.NaN
}
