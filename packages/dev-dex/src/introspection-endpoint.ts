import { type Answer, jsonAnswer } from './answer.ts'
import { goJson } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import type { ReceivedRequest } from './received-request.ts'
import { type OwnToken, verifyOwnToken } from './verify-own-token.ts'

const malformedBody = 'Unable to parse HTTP body, make sure to send a properly formatted form request body.'

const inactiveAnswer = jsonAnswer(200, `${goJson({ active: false })}\n`, {
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
})

/** Answers `/token/introspect`; like Dex, it asks for no client authentication. */
export async function answerIntrospection(
  state: IssuerState,
  { method, form }: ReceivedRequest,
): Promise<Answer> {
  if (method !== 'POST') {
    return oauthErrorAnswer(400, 'invalid_request', `HTTP method is "${method}", expected "POST".`)
  }
  if (form === undefined) return oauthErrorAnswer(400, 'invalid_request', malformedBody)
  if (form.size === 0) return oauthErrorAnswer(400, 'invalid_request', 'The POST body can not be empty.')
  const token = form.get('token')
  if (token === undefined) {
    return oauthErrorAnswer(400, 'invalid_request', "The POST body doesn't contain 'token' parameter.")
  }
  const verified = await verifyOwnToken(state, token)
  return verified === undefined ? inactiveAnswer : activeAnswer(state, verified)
}

function activeAnswer({ clients, location }: IssuerState, { claims }: OwnToken): Answer {
  const audience = [claims.aud].flat()
  const clientId = audience.length === 1 ? audience[0] : claims.azp
  // Dex looks the client up and fails when it is gone.
  if (typeof clientId !== 'string' || !clients.has(clientId)) return oauthErrorAnswer(500, 'server_error')
  const body = {
    active: true,
    client_id: clientId,
    sub: claims.sub,
    exp: claims.exp,
    iat: claims.iat,
    nbf: claims.iat,
    username: claims.preferred_username,
    aud: audience.length === 1 ? audience[0] : audience,
    iss: location.issuer,
    token_type: 'Bearer',
    token_use: 'access_token',
    ext: {
      azp: claims.azp,
      email: claims.email,
      email_verified: claims.email_verified,
      groups: claims.groups,
      name: claims.name,
      preferred_username: claims.preferred_username,
      federated_claims: claims.federated_claims,
    },
  }
  return jsonAnswer(200, goJson(body))
}
