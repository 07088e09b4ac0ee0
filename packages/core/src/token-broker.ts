import type { Broker } from './broker.ts'
import { Check } from './check/check.ts'
import type { CheckRequest } from './check/check-request.ts'
import type { Verdict } from './check/verdict.ts'
import { assertTokenRequest } from './clients/assert-token-request.ts'
import { CacheKeys } from './clients/cache-key.ts'
import { Client } from './clients/client.ts'
import type { TokenRequest } from './clients/token-request.ts'
import type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
import { Gate } from './gate/gate.ts'
import type { JwtClaims } from './gate/jwt/jwt.ts'
import { JwtVerifier } from './gate/jwt/jwt-verifier.ts'
import { VerifiedJwts } from './gate/jwt/verified-jwts.ts'
import { JwtRefusals } from './gate/jwt-refusals.ts'
import type { KeySource } from './gate/keys/key-source.ts'
import { brokerKeys, watchSigningKeys } from './issuer/broker-keys.ts'
import { DexEndpoints } from './issuer/dex-endpoints.ts'
import type { Issuer, Missing } from './issuer/issuer.ts'
import { IssuerMetadata } from './issuer/issuer-metadata.ts'
import type { TokenBrokerOptions } from './options/broker-options.ts'
import type { ResolvedGate } from './options/resolve-gate.ts'
import { type ResolvedOptions, resolveOptions } from './options/resolve-options.ts'
import { assertNodeVersion } from './shared/assert-node-version.ts'
import type { Logger } from './shared/logger.ts'
import type { MaybePromise } from './shared/maybe-promise.ts'
import type { Wait } from './shared/wait-for.ts'
import { AcceptedClients } from './tokens/accepted-clients.ts'
import { startCacheCleanup } from './tokens/cache/start-cache-cleanup.ts'
import { TokenCache } from './tokens/cache/token-cache.ts'
import { DexOrigin } from './tokens/dex/dex-origin.ts'
import { RejectedCredentials } from './tokens/dex/rejected-credentials.ts'
import type { IssuedToken } from './tokens/issued-token.ts'
import { TokenHeaders } from './tokens/token-headers.ts'
import { Tokens } from './tokens/tokens.ts'

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
 * abort, or with `TypeError` for wrong use. What each of them does stands at {@link Broker}.
 */
export class TokenBroker implements Broker, AsyncDisposable {
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly string[]
  readonly credentialHeaders: readonly string[]
  /** The option `logger`, for what works with this broker. */
  readonly logger: Logger
  readonly #endpoints: DexEndpoints
  readonly #dex: Issuer
  readonly #client: Client
  readonly #cache: TokenCache
  readonly #tokens: Tokens
  readonly #gateKeys: KeySource | undefined
  readonly #gate: Gate | undefined
  readonly #check: Check
  readonly #stop: () => void

  /** Throws a `TypeError` that starts with the name of the wrong option. */
  constructor(options: TokenBrokerOptions) {
    assertNodeVersion()
    const resolved = resolveOptions(options)
    const { surroundings, issuer, tokenEndpoint, clientAuthMethod, gate } = resolved
    const { authorizationHeader, tokenHeaders, credentialHeaders, stripCredentialHeaders } = resolved
    const { clock } = surroundings
    this.logger = surroundings.logger
    this.authorizationHeader = authorizationHeader
    this.tokenHeaders = Object.freeze([authorizationHeader, ...tokenHeaders.map(({ header }) => header)])
    this.credentialHeaders = Object.freeze(
      stripCredentialHeaders ? [...new Set(Object.values(credentialHeaders))] : [],
    )
    const metadata =
      issuer === undefined
        ? undefined
        : new IssuerMetadata(surroundings, { issuer, allowInsecureUrls: resolved.allowInsecureUrls })
    const endpoints = new DexEndpoints({ issuer, tokenEndpoint, jwksUri: resolved.jwksUri, metadata })
    const keys = brokerKeys(resolved, endpoints)
    const accepted = new AcceptedClients()
    this.#dex = {
      name: 'dex',
      origin: new DexOrigin(surroundings, {
        tokenEndpoint: endpoints.tokenEndpoint,
        authMethod: clientAuthMethod,
        wantedFields: tokenHeaders.map(({ field }) => field),
        option: tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint',
        rejected: new RejectedCredentials(resolved.negativeCacheTtlMs, clock),
        accepted,
        maxConnections: resolved.maxConnections,
      }),
      keys: keys.dex,
      missing: () => (endpoints.prepare() ? [] : ['endpoints']),
    }
    this.#client = new Client({
      name: 'default',
      issuer: this.#dex.name,
      configured: resolved.client,
      keys: new CacheKeys(tokenEndpoint ?? issuer ?? '', clientAuthMethod),
    })
    this.#cache = new TokenCache(resolved.cacheMaxEntries, clock)
    this.#tokens = new Tokens(surroundings, {
      originOf: () => this.#dex.origin,
      cache: this.#cache,
      accepted,
      maxWaiters: resolved.maxWaitingCallers,
      tokenHeaders: new TokenHeaders(authorizationHeader, tokenHeaders),
      life: { safetyMarginMs: resolved.expirySafetyMarginMs, maxAgeMs: resolved.maxTokenAgeMs },
      refreshAheadRatio: resolved.refreshAheadRatio,
    })
    this.#endpoints = endpoints
    this.#gateKeys = keys.gate
    this.#gate = keys.gate && gate && gateOf(keys.gate, resolved, gate)
    const choice = { client: this.#client }
    this.#check = new Check(surroundings, {
      names: credentialHeaders,
      gate: this.#gate,
      chooseClient: () => choice,
      tokens: this.#tokens,
      tokenHeaders,
      stripCredentialHeaders,
      realm: resolved.realm,
    })
    const deadTokens = watchSigningKeys(resolved, keys, this.#tokens)
    const stopCleanup = startCacheCleanup(this.#cache, resolved.cacheCleanupIntervalMs)
    this.#stop = () => {
      stopCleanup()
      deadTokens?.close()
      this.#tokens.close()
      keys.gate?.close()
      keys.dex?.close()
      metadata?.close()
      surroundings.sampler.close()
    }
  }

  async getToken(request: TokenRequest & Wait = {}): Promise<IssuedToken> {
    return this.tokenFor(request)
  }

  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken> {
    assertTokenRequest(request)
    return this.#tokens.get(this.#client.order(request), request)
  }

  peekToken(request: TokenRequest = {}): IssuedToken | undefined {
    assertTokenRequest(request)
    return this.#tokens.peek(this.#client.order(request))
  }

  invalidate(token: IssuedToken): boolean {
    return this.#tokens.invalidate(token)
  }

  async verify(jwt: string, wait: Wait = {}): Promise<JwtClaims> {
    if (this.#gate === undefined) throw new TypeError('verify needs the option gate')
    if (typeof jwt !== 'string') throw new TypeError('verify needs a JWT as a string')
    return this.#gate.verify(jwt, wait)
  }

  async authenticate(request: CheckRequest): Promise<AuthenticatedCaller> {
    return this.#check.authenticate(request)
  }

  async check(request: CheckRequest): Promise<Verdict> {
    return this.#check.decide(request)
  }

  decide(request: CheckRequest): MaybePromise<Verdict> {
    return this.#check.decide(request)
  }

  missing(): readonly Missing[] {
    // Both are asked, so that both start to load.
    const missing = [...this.#dex.missing()]
    if (this.#gateKeys !== undefined && !this.#gateKeys.prepare()) missing.push('keys')
    return missing
  }

  asksAt(url: URL): boolean {
    return this.#endpoints.includes(url)
  }

  get cacheStatistics(): CacheStatistics {
    return { entries: this.#cache.size, evictions: this.#cache.evictions, ...this.#tokens.lookups }
  }

  /**
   * Ends what is under way, so that nothing keeps the process alive, and forgets every token: whoever waits, or asks from
   * now on, gets a `BrokerError`. Stop what uses the broker first.
   */
  async close(): Promise<void> {
    this.#stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function gateOf(keys: KeySource, options: ResolvedOptions, rules: ResolvedGate): Gate {
  const { surroundings, credentialHeaders } = options
  const { clock } = surroundings
  const verified = new VerifiedJwts(rules.verifiedJwtsMaxEntries, clock)
  return new Gate(
    new JwtVerifier({ keys, rules, verified, clock }),
    new JwtRefusals(surroundings, {
      expectedIssuer: rules.issuer,
      expectedAudiences: rules.audiences,
      header: credentialHeaders.jwt,
      keysOption: keys.option,
    }),
  )
}
