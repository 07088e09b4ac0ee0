/** Differences between the clock of this host and the clock of an issuer, in milliseconds, in either direction. */
export const clockSkewBounds = {
  /** Above it somebody has to look: NTP keeps hosts within a second, and a measurement can be a second off. */
  warnAboveMs: 2_000,
  /** From it on checks fail, or expired JWTs pass: a JWT that lives a minute loses half of its life. No clock that is synchronized is so far off. */
  criticalFromMs: 30_000,
} as const

/** How bad a difference is. */
export type ClockSkewSeverity = 'none' | 'warning' | 'critical'

/** Judges a difference in milliseconds by {@link clockSkewBounds}. */
export function clockSkewSeverity(skewMs: number): ClockSkewSeverity {
  const differenceMs = Math.abs(skewMs)
  if (differenceMs >= clockSkewBounds.criticalFromMs) return 'critical'
  return differenceMs > clockSkewBounds.warnAboveMs ? 'warning' : 'none'
}
