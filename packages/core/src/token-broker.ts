import type { TokenBrokerOptions } from './broker-options.ts'
import { type AuthenticatedCaller, Check, type CheckRequest } from './check/check.ts'
import { headersOfToken } from './check/token-headers.ts'
import type { Verdict } from './check/verdict.ts'
import { DeadTokens } from './dead-tokens.ts'
import type { JwtClaims } from './gate/jwt.ts'
import { JwtVerifier } from './gate/jwt-verifier.ts'
import { KeySource } from './gate/key-source.ts'
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts'
import { CacheKeys } from './tokens/cache-key.ts'
import type { IssuedToken } from './tokens/issued-token.ts'
import { RejectedCredentials } from './tokens/rejected-credentials.ts'
import { RequestedTokens, type TokenRequest } from './tokens/requested-tokens.ts'
import type { SigningKey } from './tokens/signing-key.ts'
import { startCacheCleanup } from './tokens/start-cache-cleanup.ts'
import { TokenCache } from './tokens/token-cache.ts'
import { TokenEndpoint } from './tokens/token-endpoint.ts'
import { TokenSource } from './tokens/token-source.ts'
import type { Wait } from './wait-for.ts'

/** Counts since the start, and `entries` as it is now. */
export interface CacheStatistics {
  readonly entries: number
  readonly hits: number
  readonly misses: number
  /** Those of the misses that got a token past its normal use, because Dex could not answer. */
  readonly stale: number
  /** Living tokens that had to go because the cache was full. */
  readonly evictions: number
}

/**
 * Turns client credentials into Dex access tokens, once, and hands them out fast.
 *
 * Nothing is fetched before it is needed. Methods reject with `BrokerError`, with the reason of the caller's own
 * abort, or with `TypeError` for wrong use.
 */
export class TokenBroker implements AsyncDisposable {
  /** Dex's token endpoint, normalised. */
  readonly tokenEndpoint: string
  /** The header that carries `Bearer <token>`, in lower case. */
  readonly authorizationHeader: string
  /** Every header that a token may set, in lower case: the authorization header and the mapped ones. */
  readonly tokenHeaders: readonly string[]
  /** The request headers that carry a caller's credentials or JWT, in lower case; none when they are not to be removed. */
  readonly credentialHeaders: readonly string[]
  readonly #tokens: TokenSource
  readonly #requestedTokens: RequestedTokens
  readonly #cache: TokenCache
  readonly #keySource: KeySource | undefined
  readonly #verifier: JwtVerifier | undefined
  readonly #check: Check
  readonly #deadTokens: DeadTokens | undefined
  readonly #stopCleanup: () => void

  /** Throws a `TypeError` that starts with the name of the wrong option. */
  constructor(options: TokenBrokerOptions) {
    const resolved = resolveOptions(options)
    const { client, clock, gate } = resolved
    this.tokenEndpoint = resolved.tokenEndpoint
    this.authorizationHeader = resolved.authorizationHeader
    this.tokenHeaders = Object.freeze([
      resolved.authorizationHeader,
      ...resolved.tokenHeaders.map(({ header }) => header),
    ])
    this.credentialHeaders = Object.freeze(
      resolved.stripCredentialHeaders ? [...new Set(Object.values(resolved.credentialHeaders))] : [],
    )
    const keys = new CacheKeys(resolved.tokenEndpoint, resolved.clientAuthMethod)
    this.#cache = new TokenCache(resolved.cacheMaxEntries, clock)
    this.#requestedTokens = new RequestedTokens(client, keys)
    this.#tokens = tokenSource(resolved, keys, this.#cache, key => this.#deadTokens?.signedBy(key))
    this.#keySource = gate && new KeySource({ ...resolved, ...gate })
    this.#deadTokens = deadTokens(this.#keySource, gate, this.#tokens)
    this.#verifier = gate && this.#keySource && new JwtVerifier(this.#keySource, gate, clock)
    this.#check = new Check({
      ...resolved,
      names: resolved.credentialHeaders,
      verifier: this.#verifier,
      requestedTokens: this.#requestedTokens,
      tokens: this.#tokens,
      maxWaitMs: resolved.requestTimeoutMs,
    })
    this.#stopCleanup = startCacheCleanup(this.#cache, resolved.cacheCleanupIntervalMs)
  }

  /** A living token: from the cache, or by a request that is shared by all who want the same one. */
  async getToken(request: TokenRequest & Wait = {}): Promise<IssuedToken> {
    return this.#tokens.get(this.#requestedTokens.resolve(request), request)
  }

  /** The token if it is cached, without waiting. Throws like `getToken` when credentials are missing or unusable. */
  peekToken(request: TokenRequest = {}): IssuedToken | undefined {
    return this.#tokens.peek(this.#requestedTokens.resolve(request))
  }

  /**
   * Drops a token that a backend refused with 401, so that the next call gets another one; says whether it was dropped.
   *
   * Only the very token that is cached goes, so twenty refusals of one token cost one new token; and at most one of
   * those that the same request yields in 10 seconds, so that a backend that refuses every token cannot make Dex sign
   * one for each call.
   */
  invalidate(token: IssuedToken): boolean {
    return this.#tokens.invalidate(token)
  }

  /** The claims of a caller's JWT that the gate accepts; else `invalid_token`, or `jwks_unavailable` without keys. */
  async verify(jwt: string, wait: Wait = {}): Promise<JwtClaims> {
    if (this.#verifier === undefined) throw new TypeError('verify needs the option gate')
    return this.#verifier.verify(jwt, wait)
  }

  /** The caller that a request's JWT proves, from its header lines; else the errors of `verify`. Needs the option `gate`. */
  authenticate(request: CheckRequest): Promise<AuthenticatedCaller> {
    return this.#check.authenticate(request)
  }

  /** Whether a request may go on, and with which headers. Rejects only with the reason of the caller's own abort. */
  check(request: CheckRequest): Promise<Verdict> {
    return this.#check.run(request)
  }

  /** Whether checks can be answered: with a gate, whether keys are at hand. Asking starts to load them. */
  get isReady(): boolean {
    return this.#keySource?.isReady ?? true
  }

  get cacheStatistics(): CacheStatistics {
    const { size, evictions } = this.#cache
    return { entries: size, evictions, ...this.#tokens.lookups }
  }

  /** Ends what is under way, so that nothing keeps the process alive; whoever waits gets a `BrokerError`. */
  async close(): Promise<void> {
    this.#stopCleanup()
    this.#deadTokens?.close()
    this.#tokens.close()
    this.#keySource?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Known only when the gate's issuer is: it may be another one than Dex. */
function deadTokens(
  keySource: KeySource | undefined,
  gate: ResolvedOptions['gate'],
  tokens: TokenSource,
): DeadTokens | undefined {
  if (keySource === undefined || gate?.issuer === undefined) return undefined
  return new DeadTokens(keySource, gate.issuer, tokens, gate.maxAgeMs)
}

function tokenSource(
  resolved: ResolvedOptions,
  keys: CacheKeys,
  cache: TokenCache,
  onSigningKey: (key: SigningKey) => void,
): TokenSource {
  const { tokenHeaders, authorizationHeader, clock } = resolved
  return new TokenSource({
    ...resolved,
    keys,
    cache,
    rejected: new RejectedCredentials(resolved.negativeCacheTtlMs, clock),
    life: { safetyMarginMs: resolved.expirySafetyMarginMs, maxAgeMs: resolved.maxTokenAgeMs },
    onSigningKey,
    headersOf: headersOfToken(authorizationHeader, tokenHeaders),
    endpoint: new TokenEndpoint({
      ...resolved,
      url: resolved.tokenEndpoint,
      authMethod: resolved.clientAuthMethod,
      wantedFields: tokenHeaders.map(({ field }) => field),
    }),
  })
}
