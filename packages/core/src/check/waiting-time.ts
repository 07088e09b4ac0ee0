const minWaitMs = 50

/**
 * How long a check may take: a little less than Envoy waits, so that the client gets our answer and not Envoy's.
 *
 * Envoy's time-out less 10 % (at least 20 ms, at most 100 ms less), between 50 ms and `maxWaitMs`. Anything that is
 * no whole number of milliseconds is ignored.
 */
export function waitingTimeMs(expectedTimeoutMs: string, maxWaitMs: number): number {
  if (!/^\d{1,9}$/.test(expectedTimeoutMs)) return maxWaitMs
  const envoyWaitsMs = Number(expectedTimeoutMs)
  // Envoy writes 0 for "no time-out".
  if (envoyWaitsMs === 0) return maxWaitMs
  const spareMs = Math.min(Math.max(envoyWaitsMs / 10, 20), 100)
  return Math.min(Math.max(envoyWaitsMs - spareMs, minWaitMs), maxWaitMs)
}
