/** The longest pause that is passed on, whatever an upstream asks for, in milliseconds. */
const maxRetryAfterMs = 60 * 60 * 1000

/**
 * Parses a `Retry-After` header (RFC 9110 section 10.2.3) into milliseconds from `nowMs`, at most an hour. Returns
 * `undefined` for a moment that is not in the future and for any other text.
 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : httpDate(value) - nowMs
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined
}

/** Parses an HTTP-date (RFC 9110 section 5.6.7), else NaN. `Date.parse` alone reads `1.5` as a day in January. */
function httpDate(value: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(value)
    ? Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`)
    : Number.NaN
}
