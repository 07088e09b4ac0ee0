/**
 * An access token of Dex and what belongs to it.
 *
 * It hides the token from `util.inspect`, `JSON.stringify` and enumeration, so that logging the object logs no secret. An
 * interface, so that a token of one installed copy of this package fits where another copy expects one.
 */
export interface IssuedToken {
  readonly accessToken: string
  /** Always `Bearer` (RFC 6750), whatever the case in which Dex spells it. */
  readonly tokenType: 'Bearer'
  /** The true expiry, in milliseconds since the Unix epoch; the broker stops using the token earlier. */
  readonly expiresAt: number
  /** The authorization header and the mapped fields, ready to be set on a request; frozen. */
  readonly headers: Readonly<Record<string, string>>
  /** The mapped fields of the token response that were present, by their JSON names, verbatim. */
  readonly fields: Readonly<Record<string, string>>
  /** Whether its normal use is over: it is handed out because Dex cannot answer, and has not expired. */
  readonly stale: boolean
  toJSON(): { tokenType: string; expiresAt: number; stale: boolean }
}
