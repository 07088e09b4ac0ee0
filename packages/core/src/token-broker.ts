import type { Broker } from './broker.ts'
import { type BrokerParts, brokerParts } from './broker-parts.ts'
import type { CheckRequest } from './check/check-request.ts'
import type { Verdict } from './check/verdict.ts'
import { assertTokenRequest } from './clients/assert-token-request.ts'
import { type ExchangeRequest, exchangeRequestOf } from './clients/exchange-request.ts'
import type { TokenRequest } from './clients/token-request.ts'
import type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
import type { JwtClaims } from './gate/jwt/jwt.ts'
import type { Missing } from './issuer/issuer.ts'
import { type LastingParts, lastingParts, tokenMaker } from './lasting-parts.ts'
import { logReconfigured } from './log-reconfigured.ts'
import type { TokenBrokerOptions } from './options/broker-options.ts'
import { assertPlainObject } from './options/option-values.ts'
import { resolveOptions } from './options/resolve-options.ts'
import { assertNodeVersion } from './shared/assert-node-version.ts'
import type { Logger } from './shared/logger.ts'
import type { MaybePromise } from './shared/maybe-promise.ts'
import type { Wait } from './shared/wait-for.ts'
import type { BrokerStatus } from './status/broker-status.ts'
import { brokerStatusOf } from './status/broker-status-of.ts'
import type { IssuedToken } from './tokens/issued-token.ts'

/** Counters of a token cache since the start of the broker. */
export interface CacheStatistics {
  /** Tokens in the cache now. */
  readonly entries: number
  /** Lookups answered from the cache. */
  readonly hits: number
  /** Lookups that waited for Dex or failed. */
  readonly misses: number
  /** Misses answered with a token past its normal use, because Dex was unavailable. */
  readonly stale: number
  /** Unexpired tokens evicted because the cache was full. */
  readonly evictions: number
}

/**
 * Exchanges client credentials for Dex access tokens, caches them and serves them from memory.
 *
 * Makes no request before one is needed. Methods reject with `BrokerError`, with the reason of the caller's own abort, or
 * with `TypeError` for wrong use. {@link Broker} documents them.
 */
export class TokenBroker implements Broker, AsyncDisposable {
  /** Writes to the option `logger`, with the `logFields` of the check that the code works for. */
  readonly logger: Logger
  readonly #lasting: LastingParts
  /** Replaced as a whole, so that every call finds parts that belong together. */
  #parts: BrokerParts
  #isClosed = false

  /** Creates a broker; throws a `TypeError` that starts with the name of a wrong option. */
  constructor(options: TokenBrokerOptions) {
    assertNodeVersion()
    const resolved = resolveOptions(options)
    this.logger = resolved.surroundings.logger
    this.#lasting = lastingParts(resolved)
    const next = this.#lasting.carried.next()
    this.#parts = brokerParts(resolved, this.#lasting, next)
    this.#lasting.carried.adopt(next)
  }

  /** The header that carries `Bearer <token>`, in lower case. */
  get authorizationHeader(): string {
    return this.#parts.headers.authorizationHeader
  }

  /** The headers that a token can set, in lower case: the authorization header and the mapped headers. */
  get tokenHeaders(): readonly string[] {
    return this.#parts.headers.tokenHeaders
  }

  /** The request headers with a caller's credentials or JWT, in lower case; empty with `credentialHeaders.strip: false`. */
  get credentialHeaders(): readonly string[] {
    return this.#parts.headers.credentialHeaders
  }

  /**
   * Replaces all options at once: pass every option, also those that stay. Throws a `TypeError` like the constructor, and then
   * nothing has changed.
   *
   * The next call works with the new options. Calls under way end with the options with which they began, or with the new ones, and none
   * fails because of the change. Whatever is made of the same options stays: cached tokens, circuits, key sets, discovery
   * documents, verified JWTs, and requests under way. Other `tokenHeaders` or another `authorizationHeader` drop the cached tokens,
   * because these carry the old headers. Limits of a token's life count for new tokens. Pauses after failed loads of key sets and
   * discovery documents end.
   *
   * `clock`, `random`, `logger`, `observe`, `tracer` and `describeHint` stay as the constructor got them; others are ignored. A closed broker
   * throws a `TypeError`.
   */
  reconfigure(options: TokenBrokerOptions): void {
    if (this.#isClosed) throw new TypeError('reconfigure needs a broker that is not closed')
    const resolved = resolveOptions(options)
    const { surroundings, carried, callers, histories } = this.#lasting
    const { cache, tokens, exchangeCache, exchangedTokens } = this.#lasting
    const next = carried.next()
    const parts = brokerParts(resolved, this.#lasting, next)
    // From here on nothing throws and nothing waits, so that there is no state in between.
    // By the old timeout: it bounds the work under way in the parts that retire.
    const changes = carried.adopt(next)
    const { transport, userAgent, requestTimeoutMs } = resolved.surroundings
    Object.assign(surroundings, { transport, userAgent, requestTimeoutMs })
    callers.max = resolved.maxWaitingCallers
    const maker = tokenMaker(surroundings, resolved)
    if (!maker.hasHeadersOf(tokens.maker)) this.#parts.check.leaveTo(parts.check)
    const droppedTokens = tokens.makeBy(maker) + exchangedTokens.makeBy(maker)
    cache.resize(resolved.cacheMaxEntries)
    exchangeCache.resize(resolved.exchangeMaxEntries)
    histories.keepOnly(new Set(parts.clients.configured.map(({ name }) => name)))
    this.#parts = parts
    logReconfigured(this.logger, changes, droppedTokens)
  }

  async getToken(request: TokenRequest & Wait = {}): Promise<IssuedToken> {
    return this.tokenFor(request)
  }

  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken> {
    assertTokenRequest(request)
    return this.#lasting.tokens.get(this.#parts.clients.order(request), request)
  }

  peekToken(request: TokenRequest = {}): IssuedToken | undefined {
    assertTokenRequest(request)
    return this.#lasting.tokens.peek(this.#parts.clients.order(request), request)
  }

  async exchange(request: ExchangeRequest & Wait): Promise<IssuedToken> {
    assertPlainObject(request, 'an exchange request')
    const { signal, timeoutMs, span, ...exchange } = request
    const { check, exchanges } = this.#parts
    const wait = timeoutMs === undefined ? { signal, span } : check.wait({ signal, timeoutMs, span })
    const order = exchanges.order(exchangeRequestOf(exchange, 'an exchange request'), wait)
    return this.#lasting.exchangedTokens.get(await order, wait)
  }

  invalidate(token: IssuedToken): boolean {
    const { tokens, exchangedTokens } = this.#lasting
    return tokens.invalidate(token) || exchangedTokens.invalidate(token)
  }

  renewSecrets(): void {
    this.#lasting.memory.renew()
  }

  async verify<Claims extends JwtClaims = JwtClaims>(
    jwt: string,
    wait: Wait = {},
  ): Promise<AuthenticatedCaller<Claims>> {
    const { gate } = this.#parts
    if (gate === undefined) throw new TypeError('verify needs the option gate or issuers')
    if (typeof jwt !== 'string') throw new TypeError('verify needs a JWT as a string')
    return (await gate.verify(jwt, wait)) as AuthenticatedCaller<Claims>
  }

  async authenticate<Claims extends JwtClaims = JwtClaims>(
    request: CheckRequest,
  ): Promise<AuthenticatedCaller<Claims>> {
    return (await this.#parts.check.authenticate(request)) as AuthenticatedCaller<Claims>
  }

  async check(request: CheckRequest): Promise<Verdict> {
    return this.#parts.check.decide(request)
  }

  decide(request: CheckRequest): MaybePromise<Verdict> {
    return this.#parts.check.decide(request)
  }

  missing(): readonly Missing[] {
    return this.#parts.issuers.missing()
  }

  asksAt(url: URL): boolean {
    return this.#parts.issuers.includes(url)
  }

  /** The state of the broker and of its upstreams, for status pages and metrics; a new object per call. Sends nothing. */
  status(): BrokerStatus {
    return brokerStatusOf(this.#lasting, this.#parts)
  }

  /** The counters of the token cache, without exchanged tokens; a new object per call. */
  get cacheStatistics(): CacheStatistics {
    const { cache, tokens } = this.#lasting
    return { entries: cache.size, evictions: cache.evictions, ...tokens.lookups }
  }

  /** The counters of the cache of exchanged tokens, apart from the others; a new object per call. */
  get exchangeStatistics(): CacheStatistics {
    const { exchangeCache: cache, exchangedTokens: tokens } = this.#lasting
    return { entries: cache.size, evictions: cache.evictions, ...tokens.lookups }
  }

  /**
   * Closes the broker: aborts all requests, so that nothing keeps the process alive, and clears the cache. Waiting and later
   * calls reject with `BrokerError`. Stop the users of the broker first.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#lasting.tokens.close()
    this.#lasting.exchangedTokens.close()
    this.#lasting.records.close()
    this.#lasting.carried.close()
    this.#lasting.memory.close()
    this.#lasting.surroundings.sampler.close()
  }

  /** Works like `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
