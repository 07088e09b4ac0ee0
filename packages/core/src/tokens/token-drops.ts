import type { Surroundings } from '../shared/surroundings.ts'
import { cacheKeyOf } from './bearer-token.ts'
import type { TokenCache } from './cache/token-cache.ts'
import { InvalidationPace } from './invalidation-pace.ts'
import type { IssuedToken } from './issued-token.ts'
import type { SharedRecords } from './shared-store/shared-records.ts'

export interface TokenDropsOptions {
  readonly cache: TokenCache
  /** Told what is dropped here, and tells what other replicas drop. */
  readonly records: SharedRecords
}

/** Drops cached tokens before their end, in all replicas. */
export class TokenDrops {
  readonly #surroundings: Surroundings
  readonly #options: TokenDropsOptions
  readonly #invalidationPace: InvalidationPace

  constructor(surroundings: Surroundings, options: TokenDropsOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#invalidationPace = new InvalidationPace(surroundings.clock)
    options.records.forgotten.subscribe(forgotten => this.#forgotten(forgotten))
  }

  /**
   * Drops a token that a backend refused, and tells whether it did. Drops only the cached token itself, not its successor,
   * and at most one token per key in 10 seconds.
   */
  invalidate(token: IssuedToken): boolean {
    const { cache, records } = this.#options
    const key = cacheKeyOf(token)
    if (key === undefined || cache.getLiving(key) !== token || !this.#invalidationPace.allows(key))
      return false
    records.forgetTokens(cache.delete(key))
    this.#surroundings.logger.info({}, 'token dropped: a backend refused it')
    return true
  }

  /** Drops the tokens that these keys of an issuer signed. */
  signedBy(issuer: string, kids: ReadonlySet<string>): void {
    const { cache, records } = this.#options
    records.keysGone(issuer, kids)
    const dropped = cache.deleteSignedBy(issuer, kids)
    if (dropped.length === 0) return
    records.forgetTokens(dropped)
    const { logger } = this.#surroundings
    const hint = 'give Dex a storage that survives a restart, if this followed one'
    logger.warn({ tokens: dropped.length, hint }, 'tokens dropped: the key that signed them is gone')
  }

  #forgotten(forgotten: ReadonlyMap<string, number>): void {
    const tokens = this.#options.cache.deleteForgotten(forgotten).length
    if (tokens > 0) this.#surroundings.logger.info({ tokens }, 'tokens dropped: another replica dropped them')
  }
}
