import type { Broker } from './broker.ts'
import { Check } from './check/check.ts'
import type { CheckRequest } from './check/check-request.ts'
import { namesOf } from './check/credential-headers.ts'
import type { Verdict } from './check/verdict.ts'
import { assertTokenRequest } from './clients/assert-token-request.ts'
import { Clients, type ClientsIssuer } from './clients/clients.ts'
import { ClientsMemory } from './clients/clients-memory.ts'
import type { TokenRequest } from './clients/token-request.ts'
import type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
import { CallersIssuers } from './gate/callers-issuers.ts'
import { Gate } from './gate/gate.ts'
import { JwtVerifier } from './gate/jwt/jwt-verifier.ts'
import { VerifiedJwts } from './gate/jwt/verified-jwts.ts'
import { JwtRefusals } from './gate/jwt-refusals.ts'
import { type Missing, ownDexName } from './issuer/issuer.ts'
import { Issuers } from './issuer/issuers.ts'
import type { TokenBrokerOptions } from './options/broker-options.ts'
import type { ResolvedGate } from './options/resolve-gate.ts'
import { type ResolvedOptions, resolveOptions } from './options/resolve-options.ts'
import { assertNodeVersion } from './shared/assert-node-version.ts'
import type { Logger } from './shared/logger.ts'
import type { MaybePromise } from './shared/maybe-promise.ts'
import type { Wait } from './shared/wait-for.ts'
import { WaitingCallers } from './shared/waiting-callers.ts'
import { AcceptedClients } from './tokens/accepted-clients.ts'
import { startCacheCleanup } from './tokens/cache/start-cache-cleanup.ts'
import { TokenCache } from './tokens/cache/token-cache.ts'
import type { IssuedToken } from './tokens/issued-token.ts'
import { TokenHeaders } from './tokens/token-headers.ts'
import { Tokens } from './tokens/tokens.ts'

/** Counters of the token cache since the start of the broker. */
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
  /** The header that carries `Bearer <token>`, in lower case. */
  readonly authorizationHeader: string
  /** The headers that a token can set, in lower case: the authorization header and the mapped headers. */
  readonly tokenHeaders: readonly string[]
  /** The request headers with a caller's credentials or JWT, in lower case; empty with `credentialHeaders.strip: false`. */
  readonly credentialHeaders: readonly string[]
  /** The option `logger`, for code that works with this broker. */
  readonly logger: Logger
  readonly #issuers: Issuers
  readonly #memory: ClientsMemory
  readonly #clients: Clients
  readonly #cache: TokenCache
  readonly #tokens: Tokens
  readonly #gate: Gate | undefined
  readonly #check: Check
  readonly #stop: () => void

  /** Creates a broker; throws a `TypeError` that starts with the name of a wrong option. */
  constructor(options: TokenBrokerOptions) {
    assertNodeVersion()
    const resolved = resolveOptions(options)
    const { surroundings, gate } = resolved
    const { authorizationHeader, tokenHeaders, credentialHeaders, stripCredentialHeaders } = resolved
    const { clock } = surroundings
    this.logger = surroundings.logger
    this.authorizationHeader = authorizationHeader
    this.tokenHeaders = Object.freeze([authorizationHeader, ...tokenHeaders.map(({ header }) => header)])
    this.credentialHeaders = Object.freeze(stripCredentialHeaders ? [...namesOf(credentialHeaders)] : [])
    const callers = new WaitingCallers(resolved.maxWaitingCallers)
    const accepted = new AcceptedClients()
    this.#issuers = new Issuers(resolved, { callers, accepted })
    this.#memory = new ClientsMemory(surroundings)
    this.#clients = clientsOf(resolved, this.#memory)
    this.#cache = new TokenCache(resolved.cacheMaxEntries, clock)
    this.#tokens = new Tokens(surroundings, {
      originOf: this.#issuers.originOf,
      cache: this.#cache,
      accepted,
      callers,
      tokenHeaders: new TokenHeaders(authorizationHeader, tokenHeaders),
      life: { safetyMarginMs: resolved.expirySafetyMarginMs, maxAgeMs: resolved.maxTokenAgeMs },
      refreshAheadRatio: resolved.refreshAheadRatio,
    })
    this.#gate =
      gate && gateOf(new CallersIssuers(surroundings, this.#issuers.ofCallers, callers), resolved, gate)
    this.#check = new Check(surroundings, {
      names: credentialHeaders,
      gate: this.#gate,
      clients: this.#clients,
      choice: resolved.choice,
      tokens: this.#tokens,
      authorizationHeader,
      tokenHeaders,
      stripCredentialHeaders,
      realm: resolved.realm,
    })
    const stopWatching = this.#issuers.watchSigningKeys(this.#tokens)
    const stopCleanup = startCacheCleanup(this.#cache, resolved.cacheCleanupIntervalMs)
    this.#stop = () => {
      stopCleanup()
      stopWatching()
      this.#tokens.close()
      this.#issuers.close()
      this.#memory.close()
      surroundings.sampler.close()
    }
  }

  async getToken(request: TokenRequest & Wait = {}): Promise<IssuedToken> {
    return this.tokenFor(request)
  }

  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken> {
    assertTokenRequest(request)
    return this.#tokens.get(this.#clients.order(request), request)
  }

  peekToken(request: TokenRequest = {}): IssuedToken | undefined {
    assertTokenRequest(request)
    return this.#tokens.peek(this.#clients.order(request))
  }

  invalidate(token: IssuedToken): boolean {
    return this.#tokens.invalidate(token)
  }

  renewSecrets(): void {
    this.#memory.renew()
  }

  async verify(jwt: string, wait: Wait = {}): Promise<AuthenticatedCaller> {
    if (this.#gate === undefined) throw new TypeError('verify needs the option gate or issuers')
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
    return this.#issuers.missing()
  }

  asksAt(url: URL): boolean {
    return this.#issuers.includes(url)
  }

  /** The counters of the token cache; a new object per call. */
  get cacheStatistics(): CacheStatistics {
    return { entries: this.#cache.size, evictions: this.#cache.evictions, ...this.#tokens.lookups }
  }

  /**
   * Closes the broker: aborts all requests, so that nothing keeps the process alive, and clears the cache. Waiting and later
   * calls reject with `BrokerError`. Stop the users of the broker first.
   */
  async close(): Promise<void> {
    this.#stop()
  }

  /** Works like `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function clientsOf(
  { issuer, tokenEndpoint, clientAuthMethod, client, clients }: ResolvedOptions,
  memory: ClientsMemory,
): Clients {
  const endpoint = tokenEndpoint ?? issuer ?? ''
  const own: ClientsIssuer = { name: ownDexName, endpoint, authMethod: clientAuthMethod }
  return new Clients({
    issuer: own,
    client,
    memory,
    named: clients.map(({ name, configured, authMethod, dex }) => ({
      name,
      configured,
      issuer: {
        name: dex?.name ?? own.name,
        endpoint: dex === undefined ? endpoint : (dex.tokenEndpoint ?? dex.discoveryUrl ?? dex.issuer ?? ''),
        authMethod,
      },
    })),
  })
}

function gateOf(issuers: CallersIssuers, options: ResolvedOptions, gate: ResolvedGate): Gate {
  const { surroundings, credentialHeaders } = options
  const { clock } = surroundings
  const verified = new VerifiedJwts(gate.verifiedJwtsMaxEntries, clock)
  const required = { groups: gate.requiredGroups, scopes: gate.requiredScopes }
  return new Gate(
    new JwtVerifier({ issuers, required, verified, clock }),
    new JwtRefusals(surroundings, {
      issuers,
      issuerOption: gate.issuerOption,
      header: credentialHeaders.jwt,
    }),
  )
}
