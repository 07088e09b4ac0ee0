import { localConnectorId } from './dex-connector.ts'
import { type DexUserClaims, identityOfUser } from './dex-user.ts'
import { goFields } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'
import { signAccessToken } from './sign-token.ts'

/** A user and the request that the token would come from. */
export interface UserTokenOptions extends DexUserClaims {
  /** Id of the client that the token is for; it need not be among `clients`. */
  readonly client: string
  /** Id of the connector that the user logged in with, such as `github`; default `local`. */
  readonly connector?: string
  /** Scopes between spaces; default `openid email profile groups`. Peers need not trust the client. */
  readonly scope?: string
  /** The claim `nonce`; absent by default. */
  readonly nonce?: string
}

/** Signs the access token that a user's login at any connector would lead to. */
export function signUserToken(state: IssuerState, options: UserTokenOptions): string {
  const { client, connector = localConnectorId, scope = 'openid email profile groups', nonce = '' } = options
  return signAccessToken(state, {
    clientId: client,
    identity: identityOfUser(options),
    connectorId: connector,
    scopes: goFields(scope),
    nonce,
  })
}
