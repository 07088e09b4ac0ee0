/** Counts since the start. */
export interface TokenLookups {
  /** Lookups answered from the cache. */
  readonly hits: number
  /** Lookups that waited for Dex, or were refused without a request. */
  readonly misses: number
  /** Misses answered with a token past its normal use, because Dex was unavailable. */
  readonly stale: number
}
