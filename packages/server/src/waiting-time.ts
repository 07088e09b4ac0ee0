const minWaitMs = 50

/**
 * Derives how long a check may wait from Envoy's own timeout (`x-envoy-expected-rq-timeout-ms`): a little less, so that
 * the client receives the broker's answer and not Envoy's.
 *
 * 10 % less (at least 20 ms, at most 100 ms), and at least 50 ms. `undefined`, no bound, for anything that is not a
 * whole number of milliseconds above 0: Envoy writes 0 for "no timeout".
 */
export function waitingTimeMs(expectedTimeoutMs: string): number | undefined {
  if (!/^\d{1,9}$/.test(expectedTimeoutMs)) return undefined
  const envoyWaitsMs = Number(expectedTimeoutMs)
  if (envoyWaitsMs === 0) return undefined
  const spareMs = Math.min(Math.max(envoyWaitsMs / 10, 20), 100)
  return Math.max(envoyWaitsMs - spareMs, minWaitMs)
}
