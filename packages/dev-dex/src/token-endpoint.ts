import type { Answer } from './answer.ts'
import { authenticateClient, readClientCredentials } from './client-authentication.ts'
import { clientCredentials } from './client-credentials-grant.ts'
import { goFields } from './go-text.ts'
import type { Grant } from './grant.ts'
import { clientCredentialsGrant, passwordGrant, tokenExchangeGrant } from './grant-types.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import { password } from './password-grant.ts'
import type { ReceivedRequest } from './received-request.ts'
import { resolveConnector } from './resolve-connector.ts'
import { refuseScopes } from './scope-policy.ts'
import { tokenExchange } from './token-exchange-grant.ts'

const grants: ReadonlyMap<string, Grant> = new Map([
  [clientCredentialsGrant, clientCredentials],
  [passwordGrant, password],
  [tokenExchangeGrant, tokenExchange],
])

/** Answers `/token`, in Dex's order of checks. */
export function answerToken(
  state: IssuerState,
  { method, headers, form }: ReceivedRequest,
): Answer | Promise<Answer> {
  if (method !== 'POST') return oauthErrorAnswer(400, 'invalid_request', 'method not allowed')
  if (form === undefined) return oauthErrorAnswer(400, 'invalid_request')
  const grantType = form.get('grant_type') ?? ''
  const grant = state.grantTypes.includes(grantType) ? grants.get(grantType) : undefined
  if (grant === undefined) return oauthErrorAnswer(400, 'unsupported_grant_type')

  const credentials = readClientCredentials(headers.authorization, form)
  if ('status' in credentials) return credentials
  const client = authenticateClient(state.clients, credentials)
  if (client === undefined) return oauthErrorAnswer(401, 'invalid_client', 'Invalid client credentials.')

  const scopes = goFields(form.get('scope') ?? '')
  const refusal = grant.scopePolicy && refuseScopes(grant.scopePolicy, state.clients, client.id, scopes)
  if (refusal !== undefined) return refusal

  const connectorId = grant.connectorId(state, form)
  const connector = resolveConnector(state, client, connectorId, grantType)
  if ('status' in connector) return connector
  return grant.answer(state, { client, scopes, connectorId, connector, form })
}
