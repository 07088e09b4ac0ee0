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
  /**
   * The services for which the token is meant: absolute URIs without a fragment, each sent as a parameter `resource` (RFC 8707); at
   * most 2,048 characters in all. Dex ignores them. Default: `client.resource`.
   */
  readonly resource?: string | readonly string[] | undefined
  /**
   * Additional parameters of the token request, for servers other than Dex: `{ audience: 'https://api.example.com' }` for Auth0. At
   * most 4,096 characters in all; no parameter that the broker sends itself. Default: `client.extraParams`.
   */
  readonly extraParams?: Readonly<Record<string, string>> | undefined
  /**
   * The life that a cached token must have left, in milliseconds, for example for a long upload; a token with less is replaced first.
   * Never a reason to fail: when there is no longer-lived token, the caller receives the one there is. Default: none.
   */
  readonly minRemainingMs?: number | undefined
}

/** The members of a token request that lead to another token. */
export const tokenPartNames: { readonly [Name in TokenPart]: true } = {
  clientId: true,
  clientSecret: true,
  scope: true,
  audiences: true,
  resource: true,
  extraParams: true,
}

/** A member that changes what is sent; `client` selects the values of all of them. */
export type TokenPart = Exclude<keyof TokenRequest, 'client' | 'minRemainingMs'>

/** The members of a token request. */
export const tokenRequestNames: { readonly [Name in keyof Required<TokenRequest>]: true } = {
  client: true,
  ...tokenPartNames,
  minRemainingMs: true,
}
