import type { ClientAuthMethod } from '../clients/client-credentials.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import type { Clock } from '../shared/clock.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { Logger } from '../shared/logger.ts'

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
  /** Where the public keys of the callers' issuer are. Default: where Dex's `issuer` says that its own are. */
  readonly jwksUri?: string | undefined
  /** The expected `iss`, compared exactly. Default: Dex's `issuer` when its keys are used, otherwise any. */
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
   * this or `tokenEndpoint` has to be there; what is given of `tokenEndpoint` and `gate.jwksUri` wins over discovery.
   */
  readonly issuer?: string | undefined
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
  /** Bounds each request to Dex and to the JWKS endpoint, and every wait, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Tokens kept at most, 0 to 1,000,000; 0 turns the cache off. Default 1,024. */
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
  /** Permits plain http to other hosts than this one. Secrets and tokens are then readable on the way. Default `false`. */
  readonly allowInsecureUrls?: boolean | undefined
  /** Default: the global `fetch`. */
  readonly transport?: Transport | undefined
  /** Default: `Date.now` and `performance.now`. */
  readonly clock?: Clock | undefined
  /** From 0 up to 1, for jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
  /** Told of each request to Dex and to the JWKS endpoint when it is over. */
  readonly observe?: BrokerObserver | undefined
}
