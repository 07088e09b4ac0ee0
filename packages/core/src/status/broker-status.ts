import type { CacheStatus } from './cache-status.ts'
import type { ClientStatus } from './client-status.ts'
import type { IssuerStatus } from './issuer-status.ts'
import type { SharedStoreStatus } from './shared-store-status.ts'

/**
 * The state of a broker and of its upstreams at one moment, for status pages, metrics and diagnosis: plain objects without methods.
 *
 * Times are milliseconds since the Unix epoch on the clock of this host; `undefined` where nothing is known. It contains no
 * secret, token, JWT or user, and no client id but configured ones. Names, URLs and messages can be shown to operators; key ids and
 * URLs may come from an upstream: escape them.
 */
export interface BrokerStatus {
  /** When the status was made. */
  readonly at: number
  /** The broker's own Dex first, then the issuers that the gate accepts. */
  readonly issuers: readonly IssuerStatus[]
  /** The client of the option `client`, if it has an id, then the named ones. */
  readonly clients: readonly ClientStatus[]
  /** The caches and their limits. */
  readonly caches: {
    readonly tokens: CacheStatus
    /** Tokens of users. */
    readonly exchangedTokens: CacheStatus
    /** JWTs whose signature is verified; `undefined` without a gate. */
    readonly verifiedJwts: Pick<CacheStatus, 'entries' | 'maxEntries'> | undefined
  }
  /** The requests and callers that wait now. */
  readonly work: WorkStatus
  /** The shared token store; `undefined` without one. */
  readonly sharedStore: SharedStoreStatus | undefined
}

/** The work of a broker at one moment. */
export interface WorkStatus {
  /** Tokens that are being obtained, exchanged ones included. Callers share each. */
  readonly tokensInFlight: number
  /** Callers that wait, for tokens or for keys. */
  readonly waitingCallers: number
  /** The option `maxWaitingCallers`. */
  readonly maxWaitingCallers: number
}
