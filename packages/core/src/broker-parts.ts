import { Check } from './check/check.ts'
import { CacheKeys } from './clients/cache-key.ts'
import { RequestedTokens } from './clients/requested-tokens.ts'
import { JwtVerifier } from './gate/jwt/jwt-verifier.ts'
import { VerifiedJwts } from './gate/jwt/verified-jwts.ts'
import { KeySource } from './gate/keys/key-source.ts'
import { DeadTokens } from './issuer/dead-tokens.ts'
import { DexEndpoints } from './issuer/dex-endpoints.ts'
import { IssuerMetadata } from './issuer/issuer-metadata.ts'
import type { ResolvedOptions } from './options/resolve-options.ts'
import { BrokerError } from './shared/errors.ts'
import { startCacheCleanup } from './tokens/cache/start-cache-cleanup.ts'
import { TokenCache } from './tokens/cache/token-cache.ts'
import { TokenEndpoint } from './tokens/dex/token-endpoint.ts'
import { RejectedCredentials } from './tokens/rejected-credentials.ts'
import { TokenHeaders } from './tokens/token-headers.ts'
import { TokenSource } from './tokens/tokens.ts'

/** Key sets of Dex live as long as Dex says, in milliseconds: `max-age=600`. */
const dexKeysMaxAgeMs = 600_000
const dexKeysMaxStaleMs = 3_600_000

/** The three rooms, put together. */
export class BrokerParts {
  readonly endpoints: DexEndpoints
  readonly requestedTokens: RequestedTokens
  readonly tokens: TokenSource
  readonly cache: TokenCache
  readonly verifier: JwtVerifier | undefined
  readonly check: Check
  readonly #gateKeys: KeySource | undefined
  readonly #dexKeys: KeySource | undefined
  readonly #metadata: IssuerMetadata | undefined
  readonly #deadTokens: DeadTokens | undefined
  readonly #stopCleanup: () => void

  constructor(options: ResolvedOptions) {
    const { issuer, tokenEndpoint, clientAuthMethod, client, clock } = options
    this.#metadata = issuer === undefined ? undefined : new IssuerMetadata({ ...options, issuer })
    this.endpoints = new DexEndpoints({ issuer, tokenEndpoint, metadata: this.#metadata })
    const keys = new CacheKeys(tokenEndpoint ?? issuer ?? '', clientAuthMethod)
    this.cache = new TokenCache(options.cacheMaxEntries, clock)
    this.requestedTokens = new RequestedTokens(client, keys)
    this.tokens = this.#tokenSource(options, keys)
    this.#gateKeys = this.#keySourceOfGate(options)
    this.#dexKeys = this.#keySourceOfDex(options)
    this.#deadTokens = this.#watchOfDeadTokens(options)
    this.verifier = this.#jwtVerifier(options)
    this.check = new Check({
      ...options,
      names: options.credentialHeaders,
      verifier: this.verifier,
      requestedTokens: this.requestedTokens,
      tokens: this.tokens,
      maxWaitMs: options.requestTimeoutMs,
    })
    this.#stopCleanup = startCacheCleanup(this.cache, options.cacheCleanupIntervalMs)
  }

  /** Whether checks can be answered; asking starts to load what is missing. */
  get isReady(): boolean {
    const known = this.endpoints.isKnown
    if (!known) this.#metadata?.load().catch(() => {})
    // Both are asked, so that both start.
    return (this.#gateKeys?.isReady ?? true) && known
  }

  close(): void {
    this.#stopCleanup()
    this.#deadTokens?.close()
    this.tokens.close()
    this.#gateKeys?.close()
    this.#dexKeys?.close()
    this.#metadata?.close(new BrokerError('token_endpoint_unavailable', 'the broker is closed'))
  }

  #tokenSource(options: ResolvedOptions, keys: CacheKeys): TokenSource {
    const { tokenHeaders, authorizationHeader, clientAuthMethod, clock } = options
    return new TokenSource({
      ...options,
      keys,
      cache: this.cache,
      rejected: new RejectedCredentials(options.negativeCacheTtlMs, clock),
      life: { safetyMarginMs: options.expirySafetyMarginMs, maxAgeMs: options.maxTokenAgeMs },
      headersOf: new TokenHeaders(authorizationHeader, tokenHeaders),
      onSigningKey: key => this.#deadTokens?.signedBy(key),
      endpoint: new TokenEndpoint({
        ...options,
        url: this.endpoints.tokenEndpoint,
        authMethod: clientAuthMethod,
        wantedFields: tokenHeaders.map(({ field }) => field),
      }),
    })
  }

  #jwtVerifier({ gate, clock }: ResolvedOptions): JwtVerifier | undefined {
    if (gate === undefined || this.#gateKeys === undefined) return undefined
    const verified = new VerifiedJwts(gate.verifiedJwtsMaxEntries, clock)
    return new JwtVerifier({ keys: this.#gateKeys, rules: gate, verified, clock })
  }

  #keySourceOfGate({ gate, ...options }: ResolvedOptions): KeySource | undefined {
    if (gate === undefined) return undefined
    const { jwksUri } = gate
    return new KeySource({
      ...options,
      ...gate,
      jwksUri: jwksUri === undefined ? this.endpoints.jwksUri : () => jwksUri,
    })
  }

  /** Of use only to find dead tokens, and only when the gate does not look at Dex's keys anyway. */
  #keySourceOfDex({ issuer, gate, ...options }: ResolvedOptions): KeySource | undefined {
    if (issuer === undefined || gate?.issuer === issuer) return undefined
    return new KeySource({
      ...options,
      jwksUri: this.endpoints.jwksUri,
      maxAgeMs: dexKeysMaxAgeMs,
      maxStaleMs: dexKeysMaxStaleMs,
    })
  }

  /** The gate's issuer may be another one than Dex: then no token of Dex names it, and none is dropped. */
  #watchOfDeadTokens({ issuer, gate }: ResolvedOptions): DeadTokens | undefined {
    if (this.#dexKeys !== undefined && issuer !== undefined) {
      return new DeadTokens(this.#dexKeys, issuer, this.tokens, dexKeysMaxAgeMs)
    }
    if (this.#gateKeys === undefined || gate?.issuer === undefined) return undefined
    return new DeadTokens(this.#gateKeys, gate.issuer, this.tokens, gate.maxAgeMs)
  }
}
