import type { TokenOrder } from '../clients/token-order.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { brokerClosed } from '../shared/broker-closed.ts'
import { BrokerError } from '../shared/errors.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { Topic } from '../shared/topic.ts'
import type { SpanContext } from '../shared/tracer.ts'
import { remainingWait, type Wait } from '../shared/wait-for.ts'
import type { CachedToken } from './cache/token-cache.ts'
import { isLiving, isUsable } from './cache/token-life.ts'
import { InFlight } from './in-flight.ts'
import { isOutlived } from './is-outlived.ts'
import type { IssuedToken } from './issued-token.ts'
import { lookupFailed } from './lookup-failed.ts'
import { hasMinimumLife } from './minimum-life.ts'
import type { SharedOrigin } from './shared-store/shared-origin.ts'
import type { SharedWork } from './shared-work.ts'
import type { SigningKey } from './signing-key.ts'
import { TokenDrops } from './token-drops.ts'
import type { TokenLookups } from './token-lookups.ts'
import type { TokenMaker } from './token-maker.ts'
import { type CurrentTokens, TokenSupply } from './token-supply.ts'
import type { TokensOptions } from './tokens-options.ts'

/** The wait of one caller, and the life that it needs. */
export interface TokenWait extends Wait, Pick<TokenRequest, 'minRemainingMs'> {}

/**
 * Provides tokens for orders: from the cache, else from the request under way for the same token, else from a new request.
 * A request belongs to no caller, so that a caller that stops waiting affects no other.
 *
 * Replaces a token in use in the background before its end. While Dex is unavailable, serves it until shortly before its
 * true expiry.
 */
export class Tokens implements CurrentTokens {
  readonly signedWith: Topic<SigningKey & { readonly source: string }> = new Topic()
  readonly #surroundings: Surroundings
  readonly #options: TokensOptions
  readonly #inFlight: InFlight<IssuedToken>
  readonly #drops: TokenDrops
  readonly #supply: TokenSupply
  #maker: TokenMaker
  #closed = false
  #hits = 0
  #misses = 0
  #stale = 0

  constructor(surroundings: Surroundings, options: TokensOptions, maker: TokenMaker) {
    this.#surroundings = surroundings
    this.#options = options
    this.#maker = maker
    this.#drops = new TokenDrops(surroundings, options)
    this.#supply = new TokenSupply(surroundings, options, this)
    this.#inFlight = new InFlight(options.callers)
  }

  /**
   * Makes new tokens in another way, and returns the number of dropped tokens. With other headers it drops all cached ones, because
   * they carry the old headers. A request under way then ends for the callers that wait for it, and its token is not cached.
   */
  makeBy(maker: TokenMaker): number {
    const { cache } = this.#options
    const hasSameHeaders = maker.hasHeadersOf(this.#maker)
    this.#maker = maker
    if (hasSameHeaders) return 0
    this.#inFlight.startAfresh()
    const dropped = cache.size
    cache.clear()
    return dropped
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get maker(): TokenMaker {
    return this.#maker
  }

  get lookups(): TokenLookups {
    return { hits: this.#hits, misses: this.#misses, stale: this.#stale }
  }

  /** Tokens that are being obtained. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Whether the cache has any token. */
  get hasCached(): boolean {
    return this.#options.cache.size > 0
  }

  /** Returns a cached token in normal use; changes nothing. */
  peek(
    { key }: TokenOrder,
    { minRemainingMs }: Pick<TokenRequest, 'minRemainingMs'>,
  ): IssuedToken | undefined {
    const cached = this.#options.cache.get(key)
    if (cached === undefined) return undefined
    return hasMinimumLife(cached, minRemainingMs ?? 0, this.#surroundings.clock) ? cached.token : undefined
  }

  /**
   * Returns a cached token at once, else a promise; never throws. A cached token that is due is replaced in the background.
   */
  // No `await` between the lookups in the cache and in the work under way, or two callers could each start a request.
  get(order: TokenOrder, wait: TokenWait): MaybePromise<IssuedToken> {
    const { clock } = this.#surroundings
    const cached = this.#options.cache.find(order.key)
    if (cached !== undefined && isUsable(cached.life, clock)) {
      const minMs = wait.minRemainingMs ?? 0
      if (minMs > 0 && !hasMinimumLife(cached, minMs, clock)) return this.#replaceOrKeep(order, cached, wait)
      this.#hits++
      if (cached.refresh.isDue) this.#refresh(order, wait.span?.context)
      return cached.token
    }
    this.#misses++
    if (this.#closed) return Promise.reject(brokerClosed('token_endpoint_unavailable'))
    if (wait.signal?.aborted) return Promise.reject(wait.signal.reason)
    const living = cached !== undefined && isLiving(cached.life, clock) ? cached : undefined
    const rejection = this.#originOf(order).rejection(order)
    if (rejection !== undefined) {
      if (living && isOutlived(order, rejection)) return this.#asStale(living.token)
      this.#options.histories.lookupFailed(order)
      return Promise.reject(rejection)
    }
    if (living !== undefined) return this.#replaceOrStale(order, living, wait)
    return this.#settled(order, this.#joinFor(order, wait), wait)
  }

  /** Drops a token that a backend refused ({@link TokenDrops.invalidate}), and tells whether it did. */
  invalidate(token: IssuedToken): boolean {
    return this.#drops.invalidate(token)
  }

  /** Drops the tokens that these keys of an issuer signed, because backends can no longer verify them. */
  dropSignedBy(issuer: string, kids: ReadonlySet<string>): void {
    this.#drops.signedBy(issuer, kids)
  }

  /** Aborts the work under way and clears the cache. Later lookups reject. */
  close(): void {
    this.#closed = true
    this.#options.cache.clear()
    this.#inFlight.close(brokerClosed('token_endpoint_unavailable'))
  }

  #refresh(order: TokenOrder, parent: SpanContext | undefined): void {
    if (this.#closed || this.#inFlight.has(order.key, this.#originOf(order))) return
    // No caller waits for it. The origin logs a failure, which delays the next attempt.
    this.#join(order, parent).settled.catch(() => {})
  }

  /** Joins on behalf of a caller that waits, whose span shows it. */
  #joinFor(order: TokenOrder, { span }: Wait): SharedWork<IssuedToken> {
    if (span === undefined) return this.#join(order, undefined)
    const isUnderWay = this.#inFlight.has(order.key, this.#originOf(order))
    const shared = this.#join(order, span.context)
    span.setAttributes({ 'dex_broker.outcome': isUnderWay ? 'joined' : 'requested' })
    if (isUnderWay && shared.leader !== undefined) span.addLink(shared.leader)
    return shared
  }

  #join(order: TokenOrder, parent: SpanContext | undefined): SharedWork<IssuedToken> {
    const origin = this.#originOf(order)
    const maker = this.#maker
    const kind = { origin, isStranger: !this.#options.accepted.has(order), leader: parent }
    const work = { order, origin, maker, parent }
    return this.#inFlight.join(order.key, kind, (controller, onFailure) =>
      this.#supply.obtain(work, controller, onFailure),
    )
  }

  #originOf({ issuer }: TokenOrder): SharedOrigin {
    return this.#options.origins.of(issuer)
  }

  /** Waits on behalf of a caller without an unexpired token. */
  #settled(order: TokenOrder, work: SharedWork<IssuedToken>, wait: Wait): Promise<IssuedToken> {
    const { histories } = this.#options
    const token = this.#inFlight.wait(work, 'settled', wait)
    return token.catch(error => lookupFailed({ order, work, histories }, error))
  }

  /** Waits for one attempt at most when an unexpired token exists, and not at all when one has just failed. */
  async #replaceOrStale(order: TokenOrder, cached: CachedToken, wait: Wait): Promise<IssuedToken> {
    const isUnderWay = this.#inFlight.has(order.key, this.#originOf(order))
    if (!isUnderWay && cached.refresh.isPaused) return this.#asStale(cached.token)
    const shared = this.#joinFor(order, wait)
    const { clock } = this.#surroundings
    const startedAt = clock.monotonic()
    try {
      return await this.#inFlight.wait(shared, 'firstAttempt', wait)
    } catch (error) {
      // Read again: it may have been dropped meanwhile, or have expired, and then the caller waits on like others.
      const token = this.#options.cache.getLiving(order.key)
      if (token === undefined && error === shared.firstFailure)
        return this.#settled(order, shared, remainingWait(wait, clock.monotonic() - startedAt))
      if (token === undefined || !BrokerError.is(error) || !isOutlived(order, error))
        return lookupFailed({ order, work: shared, histories: this.#options.histories }, error)
      return this.#asStale(token)
    }
  }

  /** Waits for one attempt at most. Returns the cached token when there is no new one, unless it expired during the wait. */
  async #replaceOrKeep(order: TokenOrder, cached: CachedToken, wait: Wait): Promise<IssuedToken> {
    this.#misses++
    wait.signal?.throwIfAborted()
    if (this.#originOf(order).rejection(order) !== undefined) return cached.token
    const shared = this.#joinFor(order, wait)
    const { clock } = this.#surroundings
    const startedAt = clock.monotonic()
    try {
      return await this.#inFlight.wait(shared, 'firstAttempt', wait)
    } catch (error) {
      if (wait.signal?.aborted || this.#closed) throw error
      if (isLiving(cached.life, clock)) return this.#asStale(cached.token)
      if (error === shared.firstFailure)
        return this.#settled(order, shared, remainingWait(wait, clock.monotonic() - startedAt))
      return lookupFailed({ order, work: shared, histories: this.#options.histories }, error)
    }
  }

  #asStale(token: IssuedToken): IssuedToken {
    if (token.stale) this.#stale++
    return token
  }
}
