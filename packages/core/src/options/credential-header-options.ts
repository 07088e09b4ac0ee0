/** The request headers from which a check reads credentials. */
export interface CredentialHeaderOptions {
  /** The header that carries the client id. Default `x-client-id`. */
  readonly clientId?: string | undefined
  /** The header that carries the client secret. Default `x-client-secret`. */
  readonly clientSecret?: string | undefined
  /** The header that carries the scope. Default `x-scope`. */
  readonly scope?: string | undefined
  /**
   * Whether callers may send the client id and secret as `Authorization: Basic` (RFC 6749 section 2.3.1: both form-encoded), in
   * place of the first two headers. Excludes a gate with its JWT in `authorization`. Default `false`.
   */
  readonly basic?: boolean | undefined
  /**
   * Whether these headers may have a comma also in a check with `joinedHeaders`. Of two client ids or secrets, joined by a proxy, the
   * broker then makes one. Default `false`.
   */
  readonly allowJoined?: boolean | undefined
  /**
   * Removes these headers and the caller's JWT from admitted requests, and `authorization` with the option `basic`. Default
   * `true`.
   */
  readonly strip?: boolean | undefined
}
