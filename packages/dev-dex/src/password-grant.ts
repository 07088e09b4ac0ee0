import { randomBytes } from 'node:crypto'
import { encodeDexSubject } from './dex-subject.ts'
import type { Grant } from './grant.ts'
import { issueTokens } from './issue-tokens.ts'
import { oauthErrorAnswer } from './oauth-error.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'

/** Dex's password grant: a client gets tokens about a user whose password it knows. */
export const password: Grant = {
  scopePolicy: {
    allowed: new Set(['openid', 'offline_access', 'email', 'profile', 'groups', 'federated:id']),
    requiresOpenid: true,
    error: 'invalid_request',
  },
  connectorId: state => state.passwordConnector,
  answer(state, { client, scopes, connectorId, connector, form }) {
    if (connector.login === undefined) {
      const description = 'Requested password connector does not correct type.'
      return oauthErrorAnswer(400, 'invalid_request', description)
    }
    const identity = connector.login(form.get('username') ?? '', form.get('password') ?? '')
    if (identity === undefined) return oauthErrorAnswer(401, 'access_denied', 'Invalid username or password')
    const nonce = form.get('nonce') ?? ''
    const refreshToken = scopes.includes('offline_access') ? makeRefreshToken() : undefined
    return issueTokens(state, { clientId: client.id, identity, connectorId, scopes, nonce }, refreshToken)
  },
}

/** A refresh token of Dex's length and form; the grant that would use it is not served. */
function makeRefreshToken(): string {
  const randomId = () => Array.from(randomBytes(25), byte => letters[byte % letters.length]).join('')
  // Dex encodes the two random ids of a refresh token as it encodes a subject.
  return encodeDexSubject(randomId(), randomId())
}
