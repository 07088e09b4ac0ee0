import type { IssuerState } from './issuer-state.ts'
import { readGoodClaims, type VerifiedClaims, verifySignature } from './verify-id-token.ts'

/** A token of this issuer whose signature, issuer and times are right. */
export interface OwnToken {
  /** The payload byte for byte. */
  readonly payload: string
  readonly claims: OwnTokenClaims
}

/** The claims that Dex looks at; their types are whatever the signed payload has. */
export type OwnTokenClaims = {
  readonly [name in
    | 'sub'
    | 'aud'
    | 'exp'
    | 'iat'
    | 'azp'
    | 'email'
    | 'email_verified'
    | 'groups'
    | 'name'
    | 'preferred_username'
    | 'federated_claims']?: unknown
}

/**
 * Verifies a token as Dex verifies its own for introspection and userinfo; the audience is not looked at.
 *
 * Dex leaves the verifier at its default of RS256, so the tokens of an ES256 issuer are never found good.
 */
export async function verifyOwnToken(state: IssuerState, token: string): Promise<OwnToken | undefined> {
  const keys = state.keys.published.map(({ kid, publicKey }) => ({ kid, key: publicKey }))
  const payload = await verifySignature(token, keys, ['RS256'])
  if (payload === undefined) return undefined
  const claims: VerifiedClaims | undefined = readGoodClaims(payload, state.location.issuer, state.now())
  return claims && { payload, claims }
}
