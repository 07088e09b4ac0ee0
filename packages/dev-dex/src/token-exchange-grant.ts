import type { Answer } from './answer.ts'
import { isTrusted, peerOfScope } from './audience-scopes.ts'
import type { Grant, GrantRequest } from './grant.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import { noSuchConnectorAnswer } from './resolve-connector.ts'
import { type Authorization, signAccessToken, signIdToken } from './sign-token.ts'
import { tokenAnswer } from './token-response.ts'
import { accessTokenType, idTokenType, isTokenType } from './token-type.ts'

/**
 * Dex's token exchange (RFC 8693): a client gets a token about the user of a connector's token.
 *
 * Scopes are not checked and unknown ones are ignored, but a peer that does not trust the client is a server error.
 */
export const tokenExchange: Grant = {
  connectorId: (_, form) => form.get('connector_id') ?? '',
  answer: answerTokenExchange,
}

async function answerTokenExchange(
  state: IssuerState,
  { client, scopes, connectorId, connector, form }: GrantRequest,
): Promise<Answer> {
  const subjectTokenType = form.get('subject_token_type') ?? ''
  if (!isTokenType(subjectTokenType)) return notSupported('Invalid subject_token_type.')
  const subjectToken = form.get('subject_token') ?? ''
  if (subjectToken === '') return oauthErrorAnswer(400, 'invalid_request', 'Missing subject_token')
  if (connector.tokenIdentity === undefined) return noSuchConnectorAnswer

  const identity = await connector.tokenIdentity(subjectTokenType, subjectToken)
  if (identity === undefined) return oauthErrorAnswer(401, 'access_denied')
  const issuedTokenType = form.get('requested_token_type') || accessTokenType
  if (!isTokenType(issuedTokenType)) return notSupported('Invalid requested_token_type.')
  const peers = scopes.map(peerOfScope).filter(peer => peer !== undefined)
  if (!peers.every(peer => isTrusted(state.clients, client.id, peer))) {
    return oauthErrorAnswer(500, 'server_error')
  }

  const authorization: Authorization = { clientId: client.id, identity, connectorId, scopes }
  // An ID token travels as the access token too, and has no at_hash.
  const sign = issuedTokenType === idTokenType ? signIdToken : signAccessToken
  return tokenAnswer({ accessToken: sign(state, authorization), issuedTokenType }, state.idTokensMs)
}

function notSupported(description: string): Answer {
  return oauthErrorAnswer(400, 'request_not_supported', description)
}
