import type { CircuitStatus } from './circuit-status.ts'
import type { OutageStatus } from './outage-status.ts'

/** A configured client. */
export interface ClientStatus {
  /** Its name in the option `clients`; `default` for the option `client`. */
  readonly name: string
  /** The OAuth client id. */
  readonly clientId: string
  /** The name of the issuer of its tokens, as in {@link IssuerStatus}. */
  readonly issuer: string
  /** As it is sent for a request without a scope, audiences included; `undefined` when requests bring the secret. */
  readonly scope: string | undefined
  /** The cached token for this scope. */
  readonly token: TokenStatus | undefined
  /** When a token was obtained last, for any scope. */
  readonly lastIssuedAt: number | undefined
  /** The circuit of this client alone; `undefined` while it has none, because no request has failed. */
  readonly circuit: CircuitStatus | undefined
  /** Failed token requests of this client, for any scope: the outage that lasts, else the last one. Any token ends it. */
  readonly outage: OutageStatus | undefined
}

/** A cached token. */
export interface TokenStatus {
  /** The true expiry. */
  readonly expiresAt: number
  /** The end of normal use. */
  readonly usableUntil: number
  /** From when its next use replaces it in the background, or when the next attempt after a failed one is due. */
  readonly refreshAt: number
  /** Whether it is past its normal use, and is served only while Dex is unavailable. */
  readonly stale: boolean
}
