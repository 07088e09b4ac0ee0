/** A request for a token. Each part that it omits comes from the configured client. */
export interface TokenRequest {
  /**
   * A name in the option `clients`, or `default` for the option `client`; excludes `clientId` and `clientSecret`. Omit it for the
   * default client: `undefined` is a `TypeError`, because a failed lookup must not yield that client's token.
   */
  readonly client?: string
  /** The OAuth client id, at most 256 characters. Default: `client.clientId`. */
  readonly clientId?: string | undefined
  /** The client secret, at most 4,096 characters. Default: `client.clientSecret`. */
  readonly clientSecret?: string | undefined
  /** Space-separated scopes (RFC 6749 section 3.3), at most 1,024 characters with the audiences. Default: `client.scope`. */
  readonly scope?: string | undefined
  /** Client ids of peers to add to `aud`; sent as Dex's scope `audience:server:client_id:<peer>`. Default: `client.audiences`. */
  readonly audiences?: readonly string[] | undefined
}

/** The members of a token request. */
export const tokenRequestNames: { readonly [Name in keyof Required<TokenRequest>]: true } = {
  client: true,
  clientId: true,
  clientSecret: true,
  scope: true,
  audiences: true,
}
