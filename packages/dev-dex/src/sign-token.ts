import { randomBytes, randomUUID } from 'node:crypto'
import { audienceOfScopes } from './audience-scopes.ts'
import type { DexIdentity } from './dex-identity.ts'
import { encodeDexSubject } from './dex-subject.ts'
import { goJson } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'
import { signCompact } from './sign-jwt.ts'
import { accessTokenHash } from './signing-key.ts'

/** The content of a token, after every check: its user, client and scopes. */
export interface Authorization {
  readonly clientId: string
  readonly identity: DexIdentity
  /** The connector that knows the user; '' for a client's own token. */
  readonly connectorId: string
  readonly scopes: readonly string[]
  readonly nonce?: string
}

/** Signs an ID token; `hashed` is the text that `at_hash` is made of, and without it there is no `at_hash`. */
export function signIdToken(state: IssuerState, authorization: Authorization, hashed?: string): string {
  const { clientId, identity, connectorId, scopes, nonce } = authorization
  const now = state.now()
  const audience = audienceOfScopes(clientId, scopes)
  const inScope = <Claim>(scope: string, claim: Claim) => (scopes.includes(scope) ? claim : undefined)
  // The order follows Dex's struct, and an undefined member is left out of the JSON.
  const claims = {
    iss: state.location.issuer,
    sub: encodeDexSubject(identity.userID, connectorId),
    aud: audience.length === 1 ? audience[0] : audience,
    exp: Math.floor((now + state.idTokensMs) / 1000),
    iat: Math.floor(now / 1000),
    jti: randomUUID(),
    azp: audience.length > 1 ? clientId : undefined,
    nonce: nonce || undefined,
    at_hash: hashed === undefined ? undefined : accessTokenHash(hashed),
    email: inScope('email', identity.email || undefined),
    email_verified: inScope('email', identity.emailVerified),
    groups: inScope('groups', identity.groups.length > 0 ? identity.groups : undefined),
    name: inScope('profile', identity.username || undefined),
    preferred_username: inScope('profile', identity.preferredUsername || undefined),
    federated_claims: inScope('federated:id', {
      connector_id: connectorId,
      user_id: identity.userID,
    }),
  }
  return signCompact(state.keys.current, goJson(claims))
}

/** Signs an access token: an ID token with the hash of a random text. */
export function signAccessToken(state: IssuerState, authorization: Authorization): string {
  return signIdToken(state, authorization, randomBytes(16).toString('hex'))
}
