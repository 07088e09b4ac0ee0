import { randomBytes, randomUUID } from 'node:crypto'
import { audienceOfScopes } from './client-credentials-scopes.ts'
import type { DexClient } from './dex-client.ts'
import { encodeDexSubject } from './dex-subject.ts'
import { goJson } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'
import { signCompact } from './sign-jwt.ts'
import { accessTokenHash } from './signing-key.ts'

/** A client's request, after every check. */
export interface ClientCredentialsRequest {
  readonly client: DexClient
  readonly scopes: readonly string[]
  readonly nonce: string
}

/** The body of a successful token response, members in Dex's order. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in?: number
  readonly id_token?: string
}

function signToken(state: IssuerState, request: ClientCredentialsRequest, hashed: string): string {
  const { client, scopes, nonce } = request
  const now = state.now()
  const audience = audienceOfScopes(client.id, scopes)
  const name = (scopes.includes('profile') && (client.name ?? client.id)) || undefined
  const groups = scopes.includes('groups') && client.groups?.length ? client.groups : undefined
  // The order follows Dex's struct, and an undefined member is left out of the JSON.
  const claims = {
    iss: state.location.issuer,
    sub: encodeDexSubject(client.id),
    aud: audience.length === 1 ? audience[0] : audience,
    exp: Math.floor((now + state.idTokensMs) / 1000),
    iat: Math.floor(now / 1000),
    jti: randomUUID(),
    azp: audience.length > 1 ? client.id : undefined,
    nonce: nonce || undefined,
    at_hash: accessTokenHash(hashed),
    email_verified: scopes.includes('email') ? false : undefined,
    groups,
    name,
    preferred_username: name,
  }
  return signCompact(state.keys.current, goJson(claims))
}

/** Signs the tokens of a client_credentials response: an access token, and an ID token for `openid`. */
export function issueTokens(state: IssuerState, request: ClientCredentialsRequest): TokenResponse {
  // Dex hashes a random value for the at_hash of its access token.
  const accessToken = signToken(state, request, randomBytes(16).toString('hex'))
  // Some time has always passed when Dex counts what is left, so a whole number of seconds loses one.
  const expiresIn = Math.max(0, Math.ceil(state.idTokensMs / 1000) - 1)
  return {
    access_token: accessToken,
    token_type: 'bearer',
    ...(expiresIn > 0 && { expires_in: expiresIn }),
    ...(request.scopes.includes('openid') && { id_token: signToken(state, request, accessToken) }),
  }
}
