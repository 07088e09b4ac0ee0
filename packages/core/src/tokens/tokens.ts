import type { CacheKeys } from '../clients/cache-key.ts'
import type { RequestedToken } from '../clients/requested-tokens.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import type { Clock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { type Wait, waitFor } from '../shared/wait-for.ts'
import { type RefreshPolicy, RefreshSchedule } from './cache/refresh-schedule.ts'
import type { TokenCache } from './cache/token-cache.ts'
import { type LifeLimits, remainingMs, tokenLife } from './cache/token-life.ts'
import { CircuitBreaker } from './dex/circuit-breaker.ts'
import type { TokenEndpoint } from './dex/token-endpoint.ts'
import { type SharedTokenRequest, type TokenAnswer, TokenRequests } from './in-flight.ts'
import { InvalidationPace } from './invalidation-pace.ts'
import { cacheKeyOf, type HeadersOfToken, IssuedToken } from './issued-token.ts'
import type { RejectedCredentials } from './rejected-credentials.ts'
import { type SigningKey, signingKeyOf } from './signing-key.ts'

/** Callers that may wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000

/** Rejections of the client itself, whatever it asks for. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

export interface TokenSourceOptions {
  readonly endpoint: TokenEndpoint
  readonly keys: CacheKeys
  readonly cache: TokenCache
  readonly rejected: RejectedCredentials
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly observe: BrokerObserver
  readonly headersOf: HeadersOfToken
  readonly requestTimeoutMs: number
  readonly life: LifeLimits
  readonly refreshAheadRatio: number
  /** Told of the key that signed each new token that is a JWT. */
  readonly onSigningKey: (key: SigningKey) => void
}

/** Counts since the start. */
export interface TokenLookups {
  /** Answered from the cache. */
  readonly hits: number
  /** Had to wait for Dex, or were refused without asking it again. */
  readonly misses: number
  /** Those of the misses that got a token past its normal use, because Dex could not answer. */
  readonly stale: number
}

/**
 * Client credentials in, token out: from the cache, else from the request that is under way for the same token,
 * else from a new one. A request belongs to no caller; whoever stops waiting leaves the others alone.
 *
 * A token that is used is replaced in the background before its end, so that nobody waits for Dex then; and while Dex
 * cannot answer, it is handed out until shortly before its true expiry.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #requests: TokenRequests<IssuedToken>
  readonly #refreshPolicy: RefreshPolicy
  readonly #invalidationPace: InvalidationPace
  #closed = false
  #hits = 0
  #misses = 0
  #stale = 0

  constructor(options: TokenSourceOptions) {
    const { clock, random, refreshAheadRatio } = options
    this.#options = options
    this.#refreshPolicy = { aheadRatio: refreshAheadRatio, clock, random }
    this.#invalidationPace = new InvalidationPace(clock)
    this.#requests = new TokenRequests({
      ...options,
      breaker: new CircuitBreaker(clock),
      onAnswer: (requested, answer) => this.#keep(requested, answer),
      onFailure: (requested, failure, wasSent) => this.#takeNote(requested, failure, wasSent),
    })
  }

  get lookups(): TokenLookups {
    return { hits: this.#hits, misses: this.#misses, stale: this.#stale }
  }

  /** Whether there is any token that could be handed out. */
  get hasCached(): boolean {
    return this.#options.cache.size > 0
  }

  /** The cached token, synchronously. Past most of its life it is replaced meanwhile, in the background. */
  peek(requested: RequestedToken): IssuedToken | undefined {
    const { cache } = this.#options
    const cached = cache.get(requested.key)
    if (cached === undefined) return undefined
    this.#hits++
    if (cached.refresh.isDue) this.#refresh(requested)
    return cached.token
  }

  // Not `async`: between a look into the cache and one into the requests under way nothing else may run, or two
  // callers could each start a request.
  get(requested: RequestedToken, wait: Wait): Promise<IssuedToken> {
    const cached = this.peek(requested)
    if (cached !== undefined) return Promise.resolve(cached)
    this.#misses++
    if (this.#closed) return Promise.reject(closedError())
    if (wait.signal?.aborted) return Promise.reject(wait.signal.reason)
    const rejection = this.#rejection(requested)
    if (rejection !== undefined) return Promise.reject(rejection)
    return this.#living(requested) === undefined
      ? this.#ask(requested, wait)
      : this.#askOrStale(requested, wait)
  }

  /**
   * Drops a token that a backend refused, if it is still the cached one: whoever comes late with an old token does not
   * drop its successor. Says whether it did; at most one token of a key goes in 10 seconds.
   */
  invalidate(token: IssuedToken): boolean {
    const { cache, logger } = this.#options
    const key = cacheKeyOf(token)
    if (key === undefined || cache.getLiving(key) !== token || !this.#invalidationPace.allows(key))
      return false
    cache.delete(key)
    logger.info({}, 'a token was dropped because a backend refused it')
    return true
  }

  /** Drops the tokens that these keys of an issuer signed: no backend can verify them any more. */
  dropSignedBy(issuer: string, kids: ReadonlySet<string>): void {
    const tokens = this.#options.cache.deleteSignedBy(issuer, kids)
    if (tokens > 0) {
      this.#options.logger.warn({ tokens }, 'tokens were dropped because the key that signed them is gone')
    }
  }

  close(): void {
    this.#closed = true
    this.#requests.close(closedError())
  }

  #living({ key }: RequestedToken): IssuedToken | undefined {
    return this.#options.cache.getLiving(key)
  }

  #rejection({ credentials, key }: RequestedToken): BrokerError | undefined {
    const { rejected, keys } = this.#options
    return rejected.get(key) ?? rejected.get(keys.ofClient(credentials))
  }

  #refresh(requested: RequestedToken): void {
    if (this.#closed || this.#requests.isUnderWay(requested)) return
    // Nobody waits for it; a failure is logged where it happens, and delays the next try.
    this.#requests.join(requested)?.settled.catch(() => {})
  }

  #ask(requested: RequestedToken, wait: Wait): Promise<IssuedToken> {
    const shared = this.#requests.join(requested)
    if (shared === undefined) return Promise.reject(overloaded('too many tokens are being requested'))
    return waitAmong(shared, shared.settled, wait)
  }

  /** Who could have a living token waits for one attempt at most, and for none when one failed a moment ago. */
  async #askOrStale(requested: RequestedToken, wait: Wait): Promise<IssuedToken> {
    const { cache } = this.#options
    if (!this.#requests.isUnderWay(requested) && cache.refreshOf(requested.key)?.isPaused) {
      return this.#handOutStale(requested) ?? this.#ask(requested, wait)
    }
    try {
      const shared = this.#requests.join(requested)
      if (shared === undefined) throw overloaded('too many tokens are being requested')
      return await waitAmong(shared, shared.firstAttempt, wait)
    } catch (error) {
      if (!BrokerError.is(error) || !error.transient) throw error
      const stale = this.#handOutStale(requested)
      if (stale === undefined) throw error
      return stale
    }
  }

  #handOutStale(requested: RequestedToken): IssuedToken | undefined {
    const token = this.#living(requested)
    if (token?.stale) this.#stale++
    return token
  }

  #keep({ key }: RequestedToken, { response, requestedAt }: TokenAnswer): IssuedToken {
    const { cache, clock, headersOf, life: limits, onSigningKey } = this.#options
    const life = tokenLife(requestedAt, response.expiresIn, limits)
    if (remainingMs(life, clock) === 0) throw deadOnArrival()
    const token = new IssuedToken({ response, life, key, clock, headersOf })
    const lifeOfUse = { from: requestedAt.monotonic, until: life.usableUntil }
    cache.set(key, { token, life, refresh: new RefreshSchedule(this.#refreshPolicy, lifeOfUse) })
    const signingKey = signingKeyOf(response.accessToken)
    if (signingKey !== undefined) onSigningKey(signingKey)
    return token
  }

  /** Wrong credentials are wrong for every scope; a wrong scope is wrong for itself alone. */
  #takeNote({ credentials, key }: RequestedToken, failure: BrokerError, wasSent: boolean): void {
    const { cache, rejected, keys } = this.#options
    if (failure.code === 'token_request_rejected') {
      rejected.add(clientErrors.has(failure.oauthError) ? keys.ofClient(credentials) : key, failure)
      cache.delete(key)
    } else {
      cache.refreshOf(key)?.failed(failure)
      // The next caller would hear the same, until somebody changes the configuration.
      const isMisconfigured = failure.code === 'invalid_token_response' && !failure.transient
      if (isMisconfigured && wasSent) rejected.add(key, failure)
    }
  }
}

function waitAmong(
  shared: SharedTokenRequest<IssuedToken>,
  outcome: Promise<IssuedToken>,
  wait: Wait,
): Promise<IssuedToken> {
  if (shared.waiters >= maxWaitersPerKey) return Promise.reject(overloaded('too many callers wait'))
  shared.waiters++
  return waitFor(outcome, wait, waitedTooLong).finally(() => {
    shared.waiters--
  })
}

function waitedTooLong(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token endpoint did not answer in time', {
    retryAfterMs: 1000,
    transient: true,
  })
}

/** The process stood still for longer than the token lives, or Dex took as long. */
function deadOnArrival(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token had expired when it arrived', {
    transient: true,
  })
}

function overloaded(message: string): BrokerError {
  return new BrokerError('overloaded', message, { retryAfterMs: 1000, transient: true })
}

function closedError(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the broker is closed')
}
