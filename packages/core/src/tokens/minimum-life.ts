import type { Clock } from '../shared/clock.ts'
import type { CachedToken } from './cache/token-cache.ts'
import { lifeRatio, remainingMs } from './cache/token-life.ts'

/**
 * Fraction of its life for which a token is not replaced for a caller that needs more: a new one could not be much better, and tokens
 * that are shorter-lived than the minimum would otherwise cost a request per call.
 */
const minAgeRatio = 0.1

/**
 * Tells whether a cached token has the life that a caller needs, in milliseconds, or is the best one for now: it is new, or the last
 * attempt to replace it failed and the next one is not due.
 */
export function hasMinimumLife({ life, refresh }: CachedToken, minMs: number, clock: Clock): boolean {
  return remainingMs(life, clock) >= minMs || lifeRatio(life, clock) < minAgeRatio || refresh.isHeldBack
}
