/**
 * An access token of Dex with its expiry and its headers.
 *
 * `util.inspect`, `JSON.stringify` and enumeration do not show the token, so that logging the object logs no secret. Tokens
 * of different installed copies of this package are compatible.
 */
export interface IssuedToken {
  /** The access token without its scheme. A secret: do not log it. */
  readonly accessToken: string
  /** Always `Bearer` (RFC 6750), whichever case Dex uses. */
  readonly tokenType: 'Bearer'
  /** The true expiry, in milliseconds since the Unix epoch. The broker stops using the token earlier. */
  readonly expiresAt: number
  /** The authorization header and the mapped headers, names in lower case; frozen. Contains the token. */
  readonly headers: Readonly<Record<string, string>>
  /** The mapped fields that the token response had, by their JSON names, verbatim. */
  readonly fields: Readonly<Record<string, string>>
  /** Whether the token is past its normal use: the broker serves it because Dex is unavailable, and it is not expired. */
  readonly stale: boolean
  /** Returns the parts that logs may show: no token and no headers. */
  toJSON(): { tokenType: string; expiresAt: number; stale: boolean }
}
