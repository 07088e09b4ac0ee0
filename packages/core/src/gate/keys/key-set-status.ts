import type { Moment } from '../../shared/clock.ts'
import { logText } from '../../shared/log-text.ts'
import type { KeySetStatus, LoadStatus } from '../../status/issuer-status.ts'
import type { KeySet } from './key-set.ts'

/** Real key sets are smaller. */
const maxShownKeys = 100

/** Tells the state of a key set. */
export function keySetStatus(
  loaded: { readonly keySet: KeySet; readonly at: Moment } | undefined,
  load: LoadStatus,
  {
    maxAgeMs,
    refreshAheadRatio,
    maxStaleMs,
  }: { readonly maxAgeMs: number; readonly refreshAheadRatio: number; readonly maxStaleMs: number },
): Omit<KeySetStatus, 'url'> {
  const loadedAt = loaded?.at.wall
  const { usable = [], unusable = [] } = loaded?.keySet ?? {}
  return {
    ...load,
    loadedAt,
    keys: usable.length,
    kids: usable.slice(0, maxShownKeys).flatMap(({ kid }) => (kid === undefined ? [] : [logText(kid)])),
    unusable: unusable
      .slice(0, maxShownKeys)
      .map(({ kid, problem }) => ({ kid: kid && logText(kid), problem })),
    refreshAt: loadedAt && loadedAt + maxAgeMs * refreshAheadRatio,
    usableUntil: loadedAt && Number.isFinite(maxStaleMs) ? loadedAt + maxStaleMs : undefined,
  }
}
