/** A cache of tokens, with counters since the start of the broker. */
export interface CacheStatus {
  /** Entries now, expired ones that are not removed yet included. */
  readonly entries: number
  /** Limit of entries; 0 when the cache is off. */
  readonly maxEntries: number
  /** Clients with entries, configured or not; for exchanged tokens users. */
  readonly owners: number
  /** Lookups answered from the cache. */
  readonly hits: number
  /** Lookups that waited or failed. */
  readonly misses: number
  /** Misses answered with a token past its normal use, because Dex was unavailable. */
  readonly stale: number
  /** Unexpired entries evicted because the cache was full. */
  readonly evictions: number
}
