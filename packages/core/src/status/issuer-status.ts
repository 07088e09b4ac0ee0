import type { CircuitStatus } from './circuit-status.ts'
import type { OutageStatus } from './outage-status.ts'

/** An issuer: the source of tokens, of the keys that verify callers' JWTs, or of both. */
export interface IssuerStatus {
  /** `own dex`, the name in the option `issuers`, or `default` for the option `gate` alone. */
  readonly name: string
  /** The expected `iss`, configured or discovered. */
  readonly issuer: string | undefined
  /** Whether the gate accepts its JWTs. */
  readonly isOfCallers: boolean
  /** The discovery document, which is loaded once; `undefined` when nothing is discovered. */
  readonly discovery: DocumentStatus | undefined
  /** `undefined` when no client gets its tokens from it. */
  readonly tokenEndpoint: TokenEndpointStatus | undefined
  /**
   * The token endpoint of the clients that a certificate authenticates, which can be an alias of the other one; absent without such clients,
   * and when the token endpoint is not discovered.
   */
  readonly mtlsTokenEndpoint?: TokenEndpointStatus
  /** `undefined` when its keys are not needed, or when `keysOf` names another issuer. */
  readonly keySet: KeySetStatus | undefined
  /** The name of the issuer whose key set it uses; `undefined` without one. */
  readonly keysOf: string | undefined
  /** `undefined` until an answer had a `Date`, and after the clock of this host jumped. */
  readonly clockSkew: ClockSkewStatus | undefined
}

/** The load of a document. */
export interface LoadStatus {
  /** Whether it is being loaded now. */
  readonly isLoading: boolean
  /** The end of the pause after a failure; `undefined` without one. */
  readonly nextAttemptAt: number | undefined
  /** The outage that lasts, else the last one. */
  readonly outage: OutageStatus | undefined
}

/** A document that is loaded when it is needed. */
export interface DocumentStatus extends LoadStatus {
  /** Origin and path; `undefined` until it is known. */
  readonly url: string | undefined
  /** When the request for the current document was sent. */
  readonly loadedAt: number | undefined
}

/** The key set of an issuer. */
export interface KeySetStatus extends DocumentStatus {
  /** Number of usable keys. */
  readonly keys: number
  /** The ids of the first 100 usable keys. */
  readonly kids: readonly string[]
  /** The first 100 keys that cannot verify any JWT. */
  readonly unusable: readonly { readonly kid: string | undefined; readonly problem: string }[]
  /** From when the next use refreshes it in the background. */
  readonly refreshAt: number | undefined
  /** Until when it is used while no newer one can be loaded; `undefined` for no limit, or without a key set. */
  readonly usableUntil: number | undefined
}

/** The token endpoint of an issuer. */
export interface TokenEndpointStatus {
  /** Origin and path; `undefined` until it is discovered. */
  readonly url: string | undefined
  /** The circuits, each for a kind of client. */
  readonly circuits: {
    /** Of the clients that Dex has accepted before, configured ones included. */
    readonly accepted: CircuitStatus
    /** Of callers' clients that Dex has not accepted. */
    readonly unknown: CircuitStatus
    /** Of token exchanges. */
    readonly exchange: CircuitStatus
  }
  /** Token requests under way. */
  readonly running: number
  /** Token requests that wait for others to end. */
  readonly waiting: number
  /** The option `maxConnections`. */
  readonly maxRunning: number
}

/** The difference between the clock of this host and the clock of an issuer, by the `Date` of its last answer. */
export interface ClockSkewStatus {
  /**
   * A lower bound of the difference, in milliseconds: positive when this host is ahead, negative when it is behind, 0 when the
   * clocks may agree. Network time and the resolution of `Date`, one second, are subtracted.
   */
  readonly skewMs: number
  /** When the answer arrived, in milliseconds since the Unix epoch. */
  readonly measuredAt: number
}
