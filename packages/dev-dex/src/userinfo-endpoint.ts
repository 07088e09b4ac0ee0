import { type Answer, jsonAnswer } from './answer.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import type { ReceivedRequest } from './received-request.ts'
import { verifyOwnToken } from './verify-own-token.ts'

/** Answers `/userinfo` with the bearer token's own payload, byte for byte. */
export async function answerUserinfo(state: IssuerState, { headers }: ReceivedRequest): Promise<Answer> {
  const token = /^bearer (.*)$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) {
    return oauthErrorAnswer(401, 'access_denied', 'Invalid bearer token.', { 'Www-Authenticate': 'Bearer' })
  }
  const verified = await verifyOwnToken(state, token)
  if (verified === undefined) return oauthErrorAnswer(403, 'access_denied', 'Invalid bearer token.')
  return jsonAnswer(200, verified.payload)
}
