import { option, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Token cache'

/** The variables of the group "Token cache". */
export const cacheVariables = {
  CACHE_MAX_ENTRIES: option('cacheMaxEntries', {
    group,
    kind: kind.count,
    description:
      'Maximum number of cached tokens; 0 disables the cache. A full cache evicts from the client that holds the most.',
  }),
  EXCHANGE_MAX_ENTRIES: option('exchangeMaxEntries', {
    group,
    kind: kind.count,
    description:
      'Maximum number of cached tokens of users, from rules with `exchange`, apart from `CACHE_MAX_ENTRIES`; 0 disables this cache. A full cache evicts from the user who holds the most.',
  }),
  MAX_WAITING_CHECKS: option('maxWaitingCallers', {
    group,
    kind: kind.count,
    rule: { default: 4_096 },
    description:
      'Maximum number of checks that wait for tokens or keys at the same time; more are refused at once with `overloaded`. Envoy must allow more connections and pending requests than this.',
  }),
  CACHE_CLEANUP_INTERVAL: option('cacheCleanupIntervalMs', {
    group,
    kind: kind.durationOrDefault,
    description: 'How often expired tokens are removed.',
  }),
  EXPIRY_SAFETY_MARGIN: option('expirySafetyMarginMs', {
    group,
    kind: kind.durationOrDefault,
    description: 'How long before its expiry a token counts as expired.',
  }),
  REFRESH_AHEAD_RATIO: option('refreshAheadRatio', {
    group,
    kind: kind.ratio,
    description:
      "Fraction of a token's usable life after which its next use refreshes it in the background, up to a tenth of that life earlier at random. 1 disables refresh ahead.",
  }),
  MAX_TOKEN_AGE: option('maxTokenAgeMs', {
    group,
    kind: kind.duration,
    example: '1h',
    description: 'Maximum age of a token, whatever its expiry; 0s means no maximum.',
  }),
  NEGATIVE_CACHE_TTL: option('negativeCacheTtlMs', {
    group,
    kind: kind.duration,
    description:
      'How long credentials that Dex rejected are refused without another request; 0s disables this.',
  }),
} satisfies Readonly<Record<string, Variable>>
