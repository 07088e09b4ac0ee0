/** Which token a caller wants; what it leaves out comes from the configured client, part by part. */
export interface TokenRequest {
  /** At most 256 characters. */
  readonly clientId?: string | undefined
  /** At most 4,096 characters. */
  readonly clientSecret?: string | undefined
  /** Space-separated (RFC 6749 section 3.3), at most 1,024 characters together with the audiences. */
  readonly scope?: string | undefined
  /** Client ids of the peers that the token is for; each becomes Dex's scope `audience:server:client_id:<peer>`. */
  readonly audiences?: readonly string[] | undefined
}
