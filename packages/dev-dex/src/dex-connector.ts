/** Settings that every connector has, as in Dex's `connectors`. */
interface ConnectorSettings {
  readonly id: string
  /** Grants that may use the connector; all by default. */
  readonly grantTypes?: readonly string[]
}

/** A connector that accepts any text as a subject token; the user is always the same made-up one. */
export interface MockCallbackConnector extends ConnectorSettings {
  /** Dex's own connector for tests, which accepts any token. */
  readonly type: 'mockCallback'
}

/**
 * A connector whose subject tokens come from another OpenID provider. They may have any audience.
 *
 * The provider must answer when the connector's Dex starts. Names and defaults are as in Dex's `oidc` connector.
 */
export interface OidcConnector extends ConnectorSettings {
  /** A connector to an OpenID Connect provider. */
  readonly type: 'oidc'
  /** The provider's issuer, as it is in its discovery document and its tokens. */
  readonly issuer: string
  /** Default `profile` and `email`. With `email`, subject tokens need the claims `email` and `email_verified`. */
  readonly scopes?: readonly string[]
  /** The claim that becomes `name`; default `name`. Subject tokens need it. */
  readonly userNameKey?: string
  /** The claim that becomes the user's id; default `sub`. */
  readonly userIDKey?: string
  /** Adds the claims of the provider's userinfo endpoint. Access tokens cannot be exchanged without it. */
  readonly getUserInfo?: boolean
  /** Takes over the `groups` claim. */
  readonly insecureEnableGroups?: boolean
  /** Lets a missing `email_verified` count as true. */
  readonly insecureSkipEmailVerified?: boolean
}

/** A connector other than `local`, which a Dex with users has by itself. */
export type DexConnector = MockCallbackConnector | OidcConnector

/** The id of the connector that static users log in with. */
export const localConnectorId = 'local'

/** The connector of a Dex that is given none: Dex does not start without one. */
export const defaultConnectors: readonly DexConnector[] = [{ type: 'mockCallback', id: 'mock' }]
