import type { BrokerObserver } from '../broker-event.ts'
import { type Clock, momentOf } from '../clock.ts'
import { BrokerError } from '../errors.ts'
import { networkFailureCode } from '../http/network-failure.ts'
import type { Logger } from '../logger.ts'
import { RequestWithDeadline } from '../request-with-deadline.ts'
import { type Wait, waitFor } from '../wait-for.ts'
import type { CacheKeys } from './cache-key.ts'
import type { ClientCredentials } from './client-credentials.ts'
import { InvalidationPace } from './invalidation-pace.ts'
import { type HeadersOfToken, IssuedToken } from './issued-token.ts'
import type { RejectedCredentials } from './rejected-credentials.ts'
import type { RequestedToken } from './requested-tokens.ts'
import type { TokenCache } from './token-cache.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { tokenLife } from './token-life.ts'

/** Callers that may wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000
/** Different tokens that may be requested at the same time: Dex signs each one. */
const maxRequestsInFlight = 256

export interface TokenSourceOptions {
  readonly endpoint: TokenEndpoint
  readonly keys: CacheKeys
  readonly cache: TokenCache
  readonly rejected: RejectedCredentials
  readonly clock: Clock
  readonly logger: Logger
  readonly observe: BrokerObserver
  readonly headersOf: HeadersOfToken
  readonly requestTimeoutMs: number
  readonly safetyMarginMs: number
}

interface SharedTokenRequest {
  readonly request: RequestWithDeadline<IssuedToken>
  waiters: number
}

/**
 * Client credentials in, token out: from the cache, else from the request that is under way for the same token,
 * else from a new one. A request belongs to no caller; whoever stops waiting leaves the others alone.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #inFlight = new Map<string, SharedTokenRequest>()
  readonly #keyOf = new WeakMap<IssuedToken, string>()
  readonly #invalidationPace: InvalidationPace
  #closed = false
  #hits = 0
  #misses = 0

  constructor(options: TokenSourceOptions) {
    this.#options = options
    this.#invalidationPace = new InvalidationPace(options.clock)
  }

  /** Lookups since the start: `hits` were answered from the cache, `misses` had to wait. */
  get lookups(): { hits: number; misses: number } {
    return { hits: this.#hits, misses: this.#misses }
  }

  /** The cached token, synchronously. */
  peek({ key }: RequestedToken): IssuedToken | undefined {
    const token = this.#options.cache.get(key)
    if (token !== undefined) this.#hits++
    return token
  }

  // Not `async`: between a look into the cache and one into the requests under way nothing else may run, or two
  // callers could each start a request.
  get(requested: RequestedToken, wait: Wait): Promise<IssuedToken> {
    const cached = this.peek(requested)
    if (cached !== undefined) return Promise.resolve(cached)
    this.#misses++
    if (this.#closed) return Promise.reject(closedError())
    const rejection = this.#rejection(requested)
    if (rejection !== undefined) return Promise.reject(rejection)
    const shared = this.#inFlight.get(requested.key) ?? this.#start(requested)
    if (shared === undefined) return Promise.reject(overloaded('too many tokens are being requested'))
    if (shared.waiters >= maxWaitersPerKey) return Promise.reject(overloaded('too many callers wait'))
    shared.waiters++
    return waitFor(shared.request.settled, wait, waitedTooLong).finally(() => {
      shared.waiters--
    })
  }

  /**
   * Drops a token that a backend refused, if it is still the cached one: whoever comes late with an old token does not
   * drop its successor. Says whether it did; at most one token of a key goes in 10 seconds.
   */
  invalidate(token: IssuedToken): boolean {
    const { cache, logger } = this.#options
    const key = this.#keyOf.get(token)
    if (key === undefined || cache.get(key) !== token || !this.#invalidationPace.allows(key)) return false
    cache.delete(key)
    logger.info({}, 'a token was dropped because a backend refused it')
    return true
  }

  close(): void {
    this.#closed = true
    for (const { request } of this.#inFlight.values()) request.abort(closedError())
  }

  #rejection({ credentials, key }: RequestedToken): BrokerError | undefined {
    const { rejected, keys } = this.#options
    return rejected.get(key) ?? rejected.get(keys.ofClient(credentials))
  }

  #start(requested: RequestedToken): SharedTokenRequest | undefined {
    if (this.#inFlight.size >= maxRequestsInFlight) return undefined
    const request = new RequestWithDeadline(this.#options.requestTimeoutMs, signal =>
      this.#request(requested, signal).finally(() => this.#inFlight.delete(requested.key)),
    )
    const shared = { request, waiters: 0 }
    this.#inFlight.set(requested.key, shared)
    return shared
  }

  async #request({ credentials, key }: RequestedToken, signal: AbortSignal): Promise<IssuedToken> {
    const { endpoint, cache, clock, observe, headersOf, safetyMarginMs, logger } = this.#options
    const requestedAt = momentOf(clock)
    try {
      const response = await endpoint.request(credentials, signal)
      const life = tokenLife(requestedAt, response.expiresIn, safetyMarginMs)
      const token = new IssuedToken(response, life, clock, headersOf)
      this.#keyOf.set(token, key)
      cache.set(key, token, life)
      const durationMs = clock.monotonic() - requestedAt.monotonic
      observe({ type: 'token_request', outcome: 'issued', durationMs })
      logger.debug({ clientId: credentials.clientId, durationMs }, 'token issued')
      return token
    } catch (error) {
      const failure = BrokerError.is(error)
        ? error
        : new BrokerError('server_error', 'the token request failed', { cause: error })
      observe({
        type: 'token_request',
        outcome: failure.code,
        durationMs: clock.monotonic() - requestedAt.monotonic,
      })
      this.#remember(failure, credentials, key)
      this.#log(failure, credentials)
      throw failure
    }
  }

  /** Wrong credentials are wrong for every scope; a wrong scope is wrong for itself alone. */
  #remember(failure: BrokerError, credentials: ClientCredentials, key: string): void {
    if (failure.code !== 'token_request_rejected') return
    const { rejected, keys } = this.#options
    rejected.add(failure.oauthError === 'invalid_client' ? keys.ofClient(credentials) : key, failure)
  }

  // Once for each request to Dex, never for each caller: rejections are remembered, and so logged once in a while.
  #log(failure: BrokerError, { clientId, scope, configured }: ClientCredentials): void {
    const { logger } = this.#options
    const { code, oauthError, cause } = failure
    const rejected = code === 'token_request_rejected'
    const hint =
      rejected && configured && oauthError !== 'invalid_scope'
        ? 'the configured client credentials are wrong: look at STATIC_CLIENT_ID and STATIC_CLIENT_SECRET'
        : failure.hint
    const fields = { code, clientId, scope, oauthError, hint, cause: networkFailureCode(cause) }
    const message = `token request failed: ${failure.message}`
    if (code === 'server_error') logger.error({ ...fields, err: cause }, message)
    else if (rejected && !configured) logger.warn(fields, message)
    else logger.error(fields, message)
  }
}

function waitedTooLong(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token endpoint did not answer in time', {
    retryAfterMs: 1000,
  })
}

function overloaded(message: string): BrokerError {
  return new BrokerError('overloaded', message, { retryAfterMs: 1000 })
}

function closedError(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the broker is closed')
}
