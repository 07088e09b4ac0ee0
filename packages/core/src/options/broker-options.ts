import type { ChooseClient } from '../check/choose-client.ts'
import type { ClientAuthentication, SecretAuthentication } from '../clients/client-authentication.ts'
import type { SecretSource } from '../clients/secret-source.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import type { Clock } from '../shared/clock.ts'
import type { Hint } from '../shared/hint.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { Logger } from '../shared/logger.ts'
import type { Tracer } from '../shared/tracer.ts'
import type { SharedTokenStore } from '../tokens/shared-store/shared-token-store.ts'
import type { CredentialHeaderOptions } from './credential-header-options.ts'
import type { ReservedHeaderPrefixes } from './header-name.ts'
import { algorithmsRule } from './jwt-algorithms.ts'

/** The method of client authentication at the token endpoint (RFC 6749 section 2.3.1; names of RFC 7591). */
export type ClientAuthMethod = SecretAuthentication['method']

/** The configured OAuth client. Each part is used when a token request omits it. */
export interface DefaultClient {
  /** The client id in Dex. At most 256 characters. */
  readonly clientId?: string | undefined
  /** The client secret in Dex, in any Unicode, or a function that returns it. At most 4,096 characters. */
  readonly clientSecret?: string | SecretSource | undefined
  /**
   * How the client proves its identity at the token endpoint, also without a client secret: `private_key_jwt` (RFC 7523),
   * `tls_client_auth` or `self_signed_tls_client_auth` (RFC 8705). Needs `clientId`; a request then brings both id and secret, or none of
   * them. Default: `clientSecret` by `clientAuthMethod`.
   */
  readonly authentication?: ClientAuthentication | undefined
  /** Space-separated scopes (RFC 6749 section 3.3); the limit includes the audiences. At most 1,024 characters. Default: none. */
  readonly scope?: string | undefined
  /** Client ids of peers to add to `aud`; sent as Dex's scope `audience:server:client_id:<peer>`. Default: none. */
  readonly audiences?: readonly string[] | undefined
  /**
   * The services for which the tokens are meant: absolute URIs without a fragment, each sent as a parameter `resource` (RFC 8707); the
   * limit is for all of them together. Dex ignores them. At most 2,048 characters. Default: none.
   */
  readonly resource?: string | readonly string[] | undefined
  /**
   * Additional parameters of each token request, token exchanges included, for servers other than Dex:
   * `{ audience: 'https://api.example.com' }` for Auth0. No parameter that the broker sends itself; the limit is for all names and
   * values together. Not for secrets. At most 4,096 characters. Default: none.
   */
  readonly extraParams?: Readonly<Record<string, string>> | undefined
}

/** A configured client with a name. */
export interface NamedClient extends DefaultClient {
  /** The client id in Dex. At most 256 characters. */
  readonly clientId: string
  /**
   * The client secret in Dex, in any Unicode, or a function that returns it. At most 4,096 characters. Required unless `authentication`
   * has a method without a secret.
   */
  readonly clientSecret?: string | SecretSource | undefined
  /** Client authentication at the token endpoint; excludes `authentication`. Default: the option `clientAuthMethod`. */
  readonly authMethod?: ClientAuthMethod | undefined
  /** The name of the issuer in `issuers` whose token endpoint issues the tokens. Default: the Dex of `issuer` and `tokenEndpoint`. */
  readonly dex?: string | undefined
}

/** An issuer of callers' JWTs. */
export interface IssuerOptions {
  /** The name for rules, logs and `AuthenticatedCaller.issuer`: 1 to 64 letters, digits, `-`, `_` and `.`; unique. */
  readonly name: string
  /** The expected `iss`, compared exactly. Required without `discoveryUrl`; default: `issuer` of the discovery document. */
  readonly issuer?: string | undefined
  /** URL of the discovery document. Default: `issuer` and `/.well-known/openid-configuration`. */
  readonly discoveryUrl?: string | undefined
  /** URL of the key set. Default: discovered. */
  readonly jwksUri?: string | undefined
  /** URL of the token endpoint, for clients that name this issuer as their `dex`. Default: discovered. */
  readonly tokenEndpoint?: string | undefined
  /** The accepted audiences: `aud` must contain one of them. Default: any, which also admits tokens for other services. */
  readonly audiences?: string | readonly string[] | undefined
  /**
   * Whether the issuer is Dex, so that its client_credentials tokens are machines. Default: `true` for the broker's own Dex, with
   * `machineAudiences`, and when a client names it as its `dex`.
   */
  readonly isDex?: boolean | undefined
  /**
   * The audiences accepted of machines in addition to `audiences`, because Dex issues their tokens for their own client id: `any`,
   * or a list. Default: none.
   */
  readonly machineAudiences?: 'any' | readonly string[] | undefined
  /**
   * The accepted algorithms, among RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and Ed25519 (RFC 9864). Default:
   * RS256, RS384, RS512, ES256, ES384 and ES512.
   */
  readonly algorithms?: readonly string[] | undefined
  /** Tolerated clock difference for `exp` and `nbf`, in milliseconds. Default: `gate.clockToleranceMs`. */
  readonly clockToleranceMs?: number | undefined
  /** The claim with the caller's groups, a list of strings or one string. At most 256 characters. Default `groups`. */
  readonly groupsClaim?: string | undefined
  /** Sends the requests to this issuer. Default: the option `transport`. */
  readonly transport?: Transport | undefined
}

/**
 * The gate admits callers with a JWT that a key of `jwksUri` signed and whose claims meet these conditions. With `issuers`, these
 * have their own keys, issuers, audiences and groups claims, and the other options here apply to all of them.
 */
export interface GateOptions {
  /**
   * URL of the key set of the callers' issuer. Usable keys are RSA with 2,048 to 8,192 bits, EC on P-256, P-384 and P-521 and, if
   * `algorithms` has one for it, Ed25519. Default: Dex's key set, by the options `jwksUri` or `issuer`.
   */
  readonly jwksUri?: string | undefined
  /** The expected `iss`, compared exactly. Default: the option `issuer` when Dex's keys are used, else any issuer. */
  readonly issuer?: string | undefined
  /** The accepted audiences: `aud` must contain one of them. Default: any, which also admits tokens for other services. */
  readonly audience?: string | readonly string[] | undefined
  /** Works like `machineAudiences` of an issuer. */
  readonly machineAudiences?: 'any' | readonly string[] | undefined
  /** Works like `algorithms` of an issuer. Default: RS256, RS384, RS512, ES256, ES384 and ES512. */
  readonly algorithms?: readonly string[] | undefined
  /** The claim with the caller's groups, a list of strings or one string. At most 256 characters. Default `groups`. */
  readonly groupsClaim?: string | undefined
  /** Groups that a caller must all have, else `forbidden`. Default: none. */
  readonly requiredGroups?: readonly string[] | undefined
  /** Scopes that a caller's JWT must all have, in the claim `scope` (RFC 8693 section 4.2) or `scp`, else `forbidden`. Default: none. */
  readonly requiredScopes?: readonly string[] | undefined
  /** The header that carries the JWT; the prefix `Bearer ` is optional. Default `authorization`. */
  readonly jwtHeader?: string | undefined
  /** Tolerated clock difference for `exp` and `nbf`, in milliseconds. Default 0. */
  readonly clockToleranceMs?: number | undefined
  /** Age from which a key set is used only if its refresh fails, in milliseconds. Default: the option `jwksMaxAgeMs`. */
  readonly jwksMaxAgeMs?: number | undefined
  /** Age from which a key set is not used at all, in milliseconds; not below `jwksMaxAgeMs`. Default 3,600,000. */
  readonly jwksMaxStaleMs?: number | undefined
  /**
   * Limit of remembered JWTs, 0 to 1,000,000. The signature of such a JWT is verified again only after 60 seconds or with another
   * key set; `exp` and `nbf` are checked each time. 0 verifies every signature. Default 4,096.
   */
  readonly verifiedJwtsMaxEntries?: number | undefined
}

/** A store that the brokers of several processes share. */
export interface SharedStoreOptions {
  /** The store, such as `redisTokenStore` of `@broker/redis-store`. The broker does not close it. */
  readonly store: SharedTokenStore
  /**
   * The keys that seal the tokens in the store: 32 random bytes each, in base64; at least one. The first one seals, all of them open.
   * To rotate, add the new key at the end everywhere, then move it to the front everywhere, and remove the old one when its last token
   * is expired. Secrets: do not log them.
   */
  readonly keys: readonly string[]
  /** Limit of each call to the store, in milliseconds; after it the broker continues without the store. Default 50. */
  readonly timeoutMs?: number | undefined
}

/** The options of `TokenBroker`. Either `issuer` or `tokenEndpoint` is required. */
export interface TokenBrokerOptions {
  /**
   * Dex's issuer, exactly as in its configuration. The broker discovers its endpoints when they are first needed. Required
   * unless `tokenEndpoint` is set; `tokenEndpoint` and `jwksUri` override discovery.
   */
  readonly issuer?: string | undefined
  /**
   * URL of Dex's key set: its issuer followed by `/keys`. With it the broker drops cached tokens that backends can no
   * longer verify, and verifies callers' JWTs if `gate` has no `jwksUri`. Default: discovered from `issuer`.
   */
  readonly jwksUri?: string | undefined
  /** URL of Dex's token endpoint: its issuer followed by `/token`. Required unless `issuer` is set; overrides discovery. */
  readonly tokenEndpoint?: string | undefined
  /** Client authentication at the token endpoint. Default `client_secret_basic`. */
  readonly clientAuthMethod?: ClientAuthMethod | undefined
  /** The configured client. Default: none, and each request brings its own. */
  readonly client?: DefaultClient | undefined
  /** Named clients, for `getToken({ client })` and `chooseClient`. The names `default` and `caller` are reserved. Default: none. */
  readonly clients?: Readonly<Record<string, NamedClient>> | undefined
  /** Conditions on callers' JWTs. Default: no gate, which admits every caller. */
  readonly gate?: GateOptions | undefined
  /** The issuers of callers' JWTs; the claim `iss` selects one. Default: none, or the one in `gate`. */
  readonly issuers?: readonly IssuerOptions[] | undefined
  /**
   * Chooses the client for each check, or refuses it. Default: the option `client`, whose missing parts come from the caller's
   * headers.
   */
  readonly chooseClient?: ChooseClient | undefined
  /**
   * Whether `context` of a check chooses the client, where `chooseClient` is not set: `client` is a name in `clients` or `default`,
   * `scope` and `audiences` replace that client's; audiences are separated by commas or blanks. Without a gate, every caller of such
   * a route receives the client's token. A check without these keys is served as if the option were off. Default `false`.
   */
  readonly routeClients?: boolean | undefined
  /** Request headers that `chooseClient` may set. They are removed from each request for which it does not. Default: none. */
  readonly backendHeaders?: readonly string[] | undefined
  /** Client ids that callers may use in their own headers; others are refused with `forbidden`. Default: any. */
  readonly allowedClientIds?: readonly string[] | undefined
  /** Scopes that callers may request in their own headers; others are refused with `forbidden`. Default: any. */
  readonly allowedScopes?: readonly string[] | undefined
  /** Headers for fields of the token response, by JSON name: `{ access_token: 'x-access-token' }`. Default: none. */
  readonly tokenHeaders?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** The header that carries `Bearer <token>`. Default `authorization`. */
  readonly authorizationHeader?: string | undefined
  /** The request headers from which a check reads credentials. */
  readonly credentialHeaders?: CredentialHeaderOptions | undefined
  /** The realm of `WWW-Authenticate`, not empty and in printable ASCII. At most 128 characters. Default `dex-token-broker`. */
  readonly realm?: string | undefined
  /**
   * Header prefixes that the options must not use, each with the reason: `{ 'x-proxy-': 'is read by the proxy' }`. Default:
   * none.
   */
  readonly reservedHeaderPrefixes?: ReservedHeaderPrefixes | undefined
  /** Timeout of each request to Dex and to JWKS endpoints, with its retries, and of each wait, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number | undefined
  /**
   * Limit of cached tokens, 0 to 1,000,000; 0 turns the cache off. A full cache evicts expired tokens first. Then the client with
   * the most tokens loses the one that expires soonest. Default 1,024.
   */
  readonly cacheMaxEntries?: number | undefined
  /**
   * Limit of cached tokens of token exchanges, apart from `cacheMaxEntries`, 0 to 1,000,000; 0 turns their cache off. A full cache
   * evicts expired tokens first. Then the user with the most tokens loses the one that expires soonest. Default 1,024.
   */
  readonly exchangeMaxEntries?: number | undefined
  /**
   * The store from which brokers of other processes take the tokens that this one requested, so that all of them make one token
   * request. Brokers share tokens when they have a key in common and the same endpoint, client and `tokenHeaders`. While the store
   * fails, the broker works as without it. Default: none.
   */
  readonly sharedStore?: SharedStoreOptions | undefined
  /** Interval at which expired tokens are removed, in milliseconds. Default 300,000. */
  readonly cacheCleanupIntervalMs?: number | undefined
  /** Time before its expiry at which the broker stops using a token, in milliseconds. Default 30,000. */
  readonly expirySafetyMarginMs?: number | undefined
  /**
   * Fraction of a token's usable life after which its next use refreshes it in the background, above 0 up to 1. The refresh comes
   * up to a tenth of that life earlier at random. 1 turns it off. Default 0.8.
   */
  readonly refreshAheadRatio?: number | undefined
  /** Age at which the broker stops using a token, whatever its expiry, in milliseconds; 0 sets no limit. Default 0. */
  readonly maxTokenAgeMs?: number | undefined
  /** Time for which a rejection by Dex is cached, in milliseconds; 0 turns it off. Default 5,000. */
  readonly negativeCacheTtlMs?: number | undefined
  /**
   * Limit of concurrent token requests to Dex, 1 to 1,024. Half of them are reserved for clients that Dex has accepted before.
   * The transport must allow as many connections. Default 32.
   */
  readonly maxConnections?: number | undefined
  /**
   * Age from which Dex's own key set is used only if its refresh fails, in milliseconds. While tokens are cached, the broker refreshes
   * the set at 80 % of this age, at least 1 second, to find tokens whose key is gone. Default 600,000.
   */
  readonly jwksMaxAgeMs?: number | undefined
  /** Limit of callers that wait for tokens or keys, 1 to 1,000,000; beyond it calls fail with `overloaded`. Default 50,000. */
  readonly maxWaitingCallers?: number | undefined
  /** Permits plain `http` to other hosts, which exposes secrets and tokens on the network. Default `false`. */
  readonly allowInsecureUrls?: boolean | undefined
  /** The `User-Agent` of the broker's requests. Default `broker-core/<version>`. */
  readonly userAgent?: string | undefined
  /** Sends the broker's requests. Default: the global `fetch` at the time of the request. */
  readonly transport?: Transport | undefined
  /** The clocks, for tests. Default: `Date.now` and `performance.now`. */
  readonly clock?: Clock | undefined
  /** Returns a number from 0 up to 1, for jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** The log; a pino logger fits. Default: no log. */
  readonly logger?: Logger | undefined
  /** Receives an event for each finished request to Dex or a JWKS endpoint, and for each refused JWT. Default: none. */
  readonly observe?: BrokerObserver | undefined
  /**
   * Records a span for each request to Dex or a JWKS endpoint; `openTelemetryTracer` of `@broker/core/opentelemetry` makes one. Default:
   * none, which costs nothing.
   */
  readonly tracer?: Tracer | undefined
  /** Turns a hint into a sentence for the log. Default: `hintText` of `@broker/core/options`, with the paths of options. */
  readonly describeHint?: ((hint: Hint) => string) | undefined
}

/**
 * Defaults and limits of the options, by path: the only place for these numbers, also for the server's variables. The longest
 * duration is the longest delay of a Node timer, because a longer one fires at once.
 */
export const optionRules = {
  clientAuthMethod: {
    default: 'client_secret_basic',
    values: ['client_secret_basic', 'client_secret_post'],
  },
  'client.clientId': { maxLength: 256 },
  'client.clientSecret': { maxLength: 4_096 },
  'client.authentication.key': { maxLength: 16_384 },
  /** Of its result. */
  'client.authentication.sign': { maxLength: 16_384 },
  'client.authentication.keyId': { maxLength: 256 },
  'client.authentication.audience': { maxLength: 1_024 },
  /** Includes the scopes of the audiences. */
  'client.scope': { maxLength: 1_024 },
  /** Of all URIs together. */
  'client.resource': { maxLength: 2_048 },
  /** Of all names and values together. */
  'client.extraParams': { maxLength: 4_096 },
  authorizationHeader: { default: 'authorization' },
  'credentialHeaders.clientId': { default: 'x-client-id' },
  'credentialHeaders.clientSecret': { default: 'x-client-secret' },
  'credentialHeaders.scope': { default: 'x-scope' },
  'credentialHeaders.basic': { default: false },
  'credentialHeaders.allowJoined': { default: false },
  'credentialHeaders.strip': { default: true },
  routeClients: { default: false },
  realm: { default: 'dex-token-broker', maxLength: 128 },
  requestTimeoutMs: { unit: 'ms', default: 5_000, min: 1, max: 2_147_483_647 },
  cacheMaxEntries: { unit: 'entries', default: 1_024, min: 0, max: 1_000_000 },
  exchangeMaxEntries: { unit: 'entries', default: 1_024, min: 0, max: 1_000_000 },
  'sharedStore.timeoutMs': { unit: 'ms', default: 50, min: 1, max: 10_000 },
  cacheCleanupIntervalMs: { unit: 'ms', default: 300_000, min: 1, max: 2_147_483_647 },
  expirySafetyMarginMs: { unit: 'ms', default: 30_000, min: 0, max: 2_147_483_647 },
  /** `min` itself is excluded. */
  refreshAheadRatio: { unit: 'ratio', default: 0.8, min: 0, max: 1 },
  maxTokenAgeMs: { unit: 'ms', default: 0, min: 0, max: 2_147_483_647 },
  negativeCacheTtlMs: { unit: 'ms', default: 5_000, min: 0, max: 2_147_483_647 },
  maxConnections: { unit: 'entries', default: 32, min: 1, max: 1_024 },
  /** The `max-age=600` of Dex's key set. */
  jwksMaxAgeMs: { unit: 'ms', default: 600_000, min: 1, max: 2_147_483_647 },
  maxWaitingCallers: { unit: 'entries', default: 50_000, min: 1, max: 1_000_000 },
  allowInsecureUrls: { default: false },
  'gate.jwtHeader': { default: 'authorization' },
  'gate.groupsClaim': { default: 'groups', maxLength: 256 },
  'gate.algorithms': algorithmsRule as typeof algorithmsRule,
  'gate.clockToleranceMs': { unit: 'ms', default: 0, min: 0, max: 2_147_483_647 },
  /** The default follows `jwksMaxAgeMs`. */
  'gate.jwksMaxAgeMs': { unit: 'ms', default: 600_000, min: 1, max: 2_147_483_647 },
  /** Never below `gate.jwksMaxAgeMs`; the default follows it. */
  'gate.jwksMaxStaleMs': { unit: 'ms', default: 3_600_000, min: 1, max: 2_147_483_647 },
  'gate.verifiedJwtsMaxEntries': { unit: 'entries', default: 4_096, min: 0, max: 1_000_000 },
} as const
