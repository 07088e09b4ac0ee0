import { compactVerify } from 'jose'
import type { IssuerState } from './issuer-state.ts'

/** A token of this issuer whose signature, issuer and times are right. */
export interface OwnToken {
  /** The payload byte for byte. */
  readonly payload: string
  readonly claims: OwnTokenClaims
}

/** The claims that Dex looks at; their types are whatever the signed payload has. */
export type OwnTokenClaims = {
  readonly [name in
    | 'iss'
    | 'sub'
    | 'aud'
    | 'exp'
    | 'iat'
    | 'nbf'
    | 'azp'
    | 'email'
    | 'email_verified'
    | 'groups'
    | 'name'
    | 'preferred_username']?: unknown
}

/** How far in the future go-oidc lets `nbf` be. */
const notBeforeLeewayMs = 5 * 60 * 1000

/**
 * Verifies a token as Dex verifies its own for introspection and userinfo; the audience is not looked at.
 *
 * Dex leaves the verifier at its default of RS256, so the tokens of an ES256 issuer are never found good.
 */
export async function verifyOwnToken(state: IssuerState, token: string): Promise<OwnToken | undefined> {
  for (const key of state.keys.published) {
    try {
      const verified = await compactVerify(token, key.publicKey, { algorithms: ['RS256'] })
      if (verified.protectedHeader.kid && verified.protectedHeader.kid !== key.kid) continue
      const payload = Buffer.from(verified.payload).toString('utf8')
      const claims: OwnTokenClaims = JSON.parse(payload)
      const { iss, exp, nbf } = claims
      const now = state.now()
      if (iss !== state.location.issuer || typeof exp !== 'number' || exp * 1000 < now) return undefined
      if (typeof nbf === 'number' && nbf * 1000 > now + notBeforeLeewayMs) return undefined
      return { payload, claims }
    } catch {
      // Not signed by this key, or not a JWS at all: the next key may fit.
    }
  }
  return undefined
}
