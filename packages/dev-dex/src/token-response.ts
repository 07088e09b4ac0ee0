import { type Answer, jsonAnswer } from './answer.ts'
import { goJson } from './go-text.ts'
import type { TokenType } from './token-type.ts'

/** The tokens of a successful response. */
export interface IssuedTokens {
  readonly accessToken: string
  /** The kind of the access token; only an exchange names it. */
  readonly issuedTokenType?: TokenType
  readonly refreshToken?: string | undefined
  readonly idToken?: string | undefined
}

/** A successful token response, its members in Dex's order; a lifetime below a second has no `expires_in`. */
export function tokenAnswer(tokens: IssuedTokens, lifetimeMs: number): Answer {
  // Some time has always passed when Dex counts what is left, so a whole number of seconds loses one.
  const expiresIn = Math.max(0, Math.ceil(lifetimeMs / 1000) - 1)
  const body = {
    access_token: tokens.accessToken,
    issued_token_type: tokens.issuedTokenType,
    token_type: 'bearer',
    expires_in: expiresIn || undefined,
    refresh_token: tokens.refreshToken,
    id_token: tokens.idToken,
  }
  return jsonAnswer(200, goJson(body), { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
}
