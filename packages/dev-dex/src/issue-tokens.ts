import type { Answer } from './answer.ts'
import type { IssuerState } from './issuer-state.ts'
import { type Authorization, signAccessToken, signIdToken } from './sign-token.ts'
import { tokenAnswer } from './token-response.ts'

/** The answer of most grants: an access token, an ID token for `openid`, and the refresh token if there is one. */
export function issueTokens(state: IssuerState, authorization: Authorization, refreshToken?: string): Answer {
  const accessToken = signAccessToken(state, authorization)
  const wantsIdToken = authorization.scopes.includes('openid')
  const idToken = wantsIdToken ? signIdToken(state, authorization, accessToken) : undefined
  return tokenAnswer({ accessToken, refreshToken, idToken }, state.idTokensMs)
}
