import type { ListenAddress } from './listen-address.ts'
import type { LogLevel } from './log-level.ts'
import type { TokenHeaderMapping } from './token-header-mapping.ts'

/** How the client authenticates at the token endpoint (RFC 6749 section 2.3.1). */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post'

/** The form of a log line. */
export type LogFormat = 'json' | 'text'

/** The server's configuration, validated; times in whole milliseconds, header names in lower case. */
export interface Config {
  readonly listen: ListenAddress
  /** Undefined when the admin listener is turned off. */
  readonly admin: AdminAddress | undefined
  readonly shutdownTimeoutMs: number

  /** Dex's issuer, exactly as it was written; absent when nothing is to be discovered. */
  readonly issuer?: string
  /** Absent when it is to be discovered from `issuer`. */
  readonly tokenEndpoint?: string
  readonly clientAuthMethod: ClientAuthMethod
  readonly httpTimeoutMs: number
  readonly allowInsecureUrls: boolean
  readonly caFile?: string
  /** The certificates of `caFile` as PEM, to be trusted besides the system's. */
  readonly caCertificates?: string

  /** The static credentials; each part that is present wins over the caller's header. */
  readonly client: StaticClient
  readonly clientIdHeader: string
  readonly clientSecretHeader: string
  readonly scopeHeader: string
  readonly stripCredentialHeaders: boolean

  /** The header that carries `Bearer <token>` to the backend. */
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly TokenHeaderMapping[]

  /** 0 turns the cache off. */
  readonly cacheMaxEntries: number
  readonly cacheCleanupIntervalMs: number
  readonly expirySafetyMarginMs: number
  /** 1 turns refreshing ahead off. */
  readonly refreshAheadRatio: number
  /** 0: no such limit. */
  readonly maxTokenAgeMs: number
  /** 0 turns the memory of rejected credentials off. */
  readonly negativeCacheTtlMs: number

  /** Absent when callers need no JWT. */
  readonly gate?: GateConfig

  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/** Where the admin listener binds. */
export interface AdminAddress extends ListenAddress {
  /** True when the operator chose no address: then a busy port is no reason to stop. */
  readonly isDefault: boolean
}

/** Credentials that the operator fixed. */
export interface StaticClient {
  readonly clientId?: string
  readonly clientSecret?: string
  readonly scope?: string
  readonly audiences?: readonly string[]
}

/** Which JWTs open the gate, and how long the keys that check them are trusted. */
export interface GateConfig {
  /** Absent when the keys are those of Dex's issuer. */
  readonly jwksUri?: string
  readonly jwtHeader: string
  readonly issuer?: string
  readonly audiences?: readonly string[]
  readonly jwksMaxAgeMs: number
  readonly jwksMaxStaleMs: number
  readonly clockToleranceMs: number
  /** 0 verifies each JWT each time. */
  readonly verifiedJwtsMaxEntries: number
}
