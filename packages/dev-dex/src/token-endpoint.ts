import { type Answer, jsonAnswer } from './answer.ts'
import { authenticateClient, readClientCredentials } from './client-authentication.ts'
import { refuseScopes } from './client-credentials-scopes.ts'
import { issueTokens } from './client-credentials-tokens.ts'
import { goFields, goJson } from './go-text.ts'
import { clientCredentialsGrant } from './grant-types.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import type { ReceivedRequest } from './received-request.ts'

/** Answers `/token` for the client_credentials grant, in Dex's order of checks. */
export function answerToken(state: IssuerState, { method, headers, form }: ReceivedRequest): Answer {
  if (method !== 'POST') return oauthErrorAnswer(400, 'invalid_request', 'method not allowed')
  if (form === undefined) return oauthErrorAnswer(400, 'invalid_request')
  if (
    form.get('grant_type') !== clientCredentialsGrant ||
    !state.grantTypes.includes(clientCredentialsGrant)
  ) {
    return oauthErrorAnswer(400, 'unsupported_grant_type')
  }

  const credentials = readClientCredentials(headers.authorization, form)
  if ('status' in credentials) return credentials
  const client = authenticateClient(state.clients, credentials)
  if (client === undefined) return oauthErrorAnswer(401, 'invalid_client', 'Invalid client credentials.')

  const scopes = goFields(form.get('scope') ?? '')
  const refusal = refuseScopes(state.clients, client.id, scopes)
  if (refusal !== undefined) return refusal
  if (client.public) {
    return oauthErrorAnswer(400, 'unauthorized_client', 'Public clients cannot use client_credentials grant.')
  }

  const tokens = issueTokens(state, { client, scopes, nonce: form.get('nonce') ?? '' })
  return jsonAnswer(200, goJson(tokens), { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
}
