import type { BrokerObserver } from '../shared/broker-event.ts'
import type { Clock } from '../shared/clock.ts'
import type { Hint } from '../shared/hint.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { Logger } from '../shared/logger.ts'
import type { ReservedHeaderPrefixes } from './header-name.ts'

/** How the client authenticates at the token endpoint (RFC 6749 section 2.3.1; names of RFC 7591). */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post'

/** The client whose tokens are asked for when a request does not say otherwise, part by part. */
export interface DefaultClient {
  /** At most 256 characters. */
  readonly clientId?: string | undefined
  /** At most 4,096 characters, any Unicode. */
  readonly clientSecret?: string | undefined
  /** Space-separated (RFC 6749 section 3.3), at most 1,024 characters. */
  readonly scope?: string | undefined
  /** Client ids of the peers that a token is for; each becomes Dex's scope `audience:server:client_id:<peer>`. */
  readonly audiences?: readonly string[] | undefined
}

/** Which callers may pass: those with a JWT that is signed by a key of `jwksUri` and says what is asked for here. */
export interface GateOptions {
  /**
   * Where the public keys of the callers' issuer are; RSA of 2,048 to 8,192 bits and EC on P-256, P-384 and P-521 count,
   * for RS256, RS384, RS512, ES256, ES384 and ES512. Default: Dex's own, by `jwksUri` or `issuer`.
   */
  readonly jwksUri?: string | undefined
  /** The expected `iss`, compared exactly. Default: Dex's `issuer` when its keys are used and it is given, otherwise any. */
  readonly issuer?: string | undefined
  /** The expected `aud`: one of these. Default: any, which lets in tokens made for other services. */
  readonly audience?: string | readonly string[] | undefined
  /** The header that carries the JWT, `Bearer ` before it optional. Default `authorization`. */
  readonly jwtHeader?: string | undefined
  /** Tolerated difference of clocks for `exp` and `nbf`, in milliseconds. Default 0. */
  readonly clockToleranceMs?: number | undefined
  /** Age from which a key set is used only when it cannot be refreshed, in milliseconds. Default 600,000. */
  readonly jwksMaxAgeMs?: number | undefined
  /** Age from which a key set is not used at all, in milliseconds. Default 3,600,000; not below `jwksMaxAgeMs`. */
  readonly jwksMaxStaleMs?: number | undefined
  /**
   * JWTs whose signature is not verified again for up to 60 seconds, while the key set stays the same; their times are
   * checked each time. 0 to 1,000,000, default 4,096; 0 verifies each JWT each time.
   */
  readonly verifiedJwtsMaxEntries?: number | undefined
}

/** The headers from which a check takes credentials. */
export interface CredentialHeaderOptions {
  /** Default `x-client-id`. */
  readonly clientId?: string | undefined
  /** Default `x-client-secret`. */
  readonly clientSecret?: string | undefined
  /** Default `x-scope`. */
  readonly scope?: string | undefined
  /** Whether they, and the caller's JWT, are removed from requests that pass. Default `true`. */
  readonly strip?: boolean | undefined
}

export interface TokenBrokerOptions {
  /**
   * Dex's issuer, exactly as in its configuration: its endpoints are then discovered when they are first needed. Either
   * this or `tokenEndpoint` has to be there; what is given of `tokenEndpoint` and `jwksUri` wins over discovery.
   */
  readonly issuer?: string | undefined
  /**
   * Where Dex's own key set is: its issuer followed by `/keys`. It shows which cached tokens no backend can verify any
   * more, and verifies callers' JWTs where `gate` has no `jwksUri`. Default: as discovered from `issuer`.
   */
  readonly jwksUri?: string | undefined
  /** Dex's token endpoint: its issuer followed by `/token`. */
  readonly tokenEndpoint?: string | undefined
  /** Default `client_secret_basic`. */
  readonly clientAuthMethod?: ClientAuthMethod | undefined
  readonly client?: DefaultClient | undefined
  /** Without it every caller may pass. */
  readonly gate?: GateOptions | undefined
  /** Fields of the token response and the headers that carry them: `{ access_token: 'x-access-token' }`. */
  readonly tokenHeaders?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** The header that carries `Bearer <token>`. Default `authorization`. */
  readonly authorizationHeader?: string | undefined
  readonly credentialHeaders?: CredentialHeaderOptions | undefined
  /** The realm of `WWW-Authenticate`: 1 to 128 printable ASCII characters. Default `dex-token-broker`. */
  readonly realm?: string | undefined
  /**
   * Beginnings of header names that none of the broker's headers may have, each with why: `{ 'x-proxy-': 'is read by the
   * proxy' }`. Default: none.
   */
  readonly reservedHeaderPrefixes?: ReservedHeaderPrefixes | undefined
  /** Bounds each request to Dex and to the JWKS endpoint, and every wait, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number | undefined
  /**
   * Tokens kept at most, 0 to 1,000,000; 0 turns the cache off. Default 1,024. When full, expired tokens are evicted first,
   * then the token that expires soonest of the client that holds most.
   */
  readonly cacheMaxEntries?: number | undefined
  /** How often expired tokens are removed, in milliseconds. Default 300,000. */
  readonly cacheCleanupIntervalMs?: number | undefined
  /** How long before its expiry a token is no longer used, in milliseconds. Default 30,000. */
  readonly expirySafetyMarginMs?: number | undefined
  /**
   * From this part of its usable life on a token that is asked for is replaced in the background, more than 0 to 1.
   * Default 0.8, up to a tenth earlier at random; 1 waits for the end.
   */
  readonly refreshAheadRatio?: number | undefined
  /** From this age on a token is not used again, whatever its expiry, in milliseconds. Default 0: no such limit. */
  readonly maxTokenAgeMs?: number | undefined
  /** How long rejected credentials are answered without asking Dex, in milliseconds. Default 5,000; 0 never. */
  readonly negativeCacheTtlMs?: number | undefined
  /**
   * Token requests to Dex at the same time, 1 to 1,024. Default 32. Half of them are kept for clients that Dex has accepted
   * before. The transport has to allow as many connections.
   */
  readonly maxConnections?: number | undefined
  /** Callers that wait for tokens at the same time, 1 to 1,000,000; more get `overloaded` at once. Default 50,000. */
  readonly maxWaitingCallers?: number | undefined
  /** Permits plain http to other hosts than this one. Secrets and tokens are then readable on the way. Default `false`. */
  readonly allowInsecureUrls?: boolean | undefined
  /** `User-Agent` of every request that the broker makes. Default `broker-core/<version>`. */
  readonly userAgent?: string | undefined
  /** Default: the global `fetch`, as it is when a request is made. */
  readonly transport?: Transport | undefined
  /** Default: `Date.now` and `performance.now`. */
  readonly clock?: Clock | undefined
  /** From 0 up to 1, for jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
  /** Told of each request to Dex and to the JWKS endpoint when it is over, and of each JWT that the gate refuses. */
  readonly observe?: BrokerObserver | undefined
  /** Puts a hint for the operator into words, for the log. Default: `hintText`, which names options. */
  readonly describeHint?: ((hint: Hint) => string) | undefined
}

/**
 * Defaults and limits of the options above, by the path of each: the one place for these numbers. The server's variables
 * are checked by the same entries. The longest duration is what a timer of Node holds: a longer one fires at once.
 */
export const optionRules = {
  clientAuthMethod: {
    default: 'client_secret_basic',
    values: ['client_secret_basic', 'client_secret_post'],
  },
  'client.clientId': { maxLength: 256 },
  'client.clientSecret': { maxLength: 4_096 },
  /** Together with the scopes of the audiences. */
  'client.scope': { maxLength: 1_024 },
  authorizationHeader: { default: 'authorization' },
  'credentialHeaders.clientId': { default: 'x-client-id' },
  'credentialHeaders.clientSecret': { default: 'x-client-secret' },
  'credentialHeaders.scope': { default: 'x-scope' },
  'credentialHeaders.strip': { default: true },
  realm: { default: 'dex-token-broker', maxLength: 128 },
  requestTimeoutMs: { unit: 'ms', default: 5_000, min: 1, max: 2_147_483_647 },
  cacheMaxEntries: { unit: 'entries', default: 1_024, min: 0, max: 1_000_000 },
  cacheCleanupIntervalMs: { unit: 'ms', default: 300_000, min: 1, max: 2_147_483_647 },
  expirySafetyMarginMs: { unit: 'ms', default: 30_000, min: 0, max: 2_147_483_647 },
  /** Above `min`, not from it. */
  refreshAheadRatio: { unit: 'ratio', default: 0.8, min: 0, max: 1 },
  maxTokenAgeMs: { unit: 'ms', default: 0, min: 0, max: 2_147_483_647 },
  negativeCacheTtlMs: { unit: 'ms', default: 5_000, min: 0, max: 2_147_483_647 },
  maxConnections: { unit: 'entries', default: 32, min: 1, max: 1_024 },
  maxWaitingCallers: { unit: 'entries', default: 50_000, min: 1, max: 1_000_000 },
  allowInsecureUrls: { default: false },
  'gate.jwtHeader': { default: 'authorization' },
  'gate.clockToleranceMs': { unit: 'ms', default: 0, min: 0, max: 2_147_483_647 },
  'gate.jwksMaxAgeMs': { unit: 'ms', default: 600_000, min: 1, max: 2_147_483_647 },
  /** Never below `gate.jwksMaxAgeMs`; the default follows it. */
  'gate.jwksMaxStaleMs': { unit: 'ms', default: 3_600_000, min: 1, max: 2_147_483_647 },
  'gate.verifiedJwtsMaxEntries': { unit: 'entries', default: 4_096, min: 0, max: 1_000_000 },
} as const
