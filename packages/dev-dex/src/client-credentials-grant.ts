import type { DexClient } from './dex-client.ts'
import type { DexIdentity } from './dex-identity.ts'
import type { Grant } from './grant.ts'
import { issueTokens } from './issue-tokens.ts'
import { oauthErrorAnswer } from './oauth-error.ts'

function identityOfClient(client: DexClient): DexIdentity {
  const name = client.name ?? client.id
  return {
    userID: client.id,
    username: name,
    preferredUsername: name,
    email: '',
    emailVerified: false,
    groups: client.groups ?? [],
  }
}

function refusal(scope: string): [string, string] {
  return [scope, `client_credentials grant does not support ${scope} scope.`]
}

/** Dex's client_credentials grant: a confidential client gets a token about itself. */
export const clientCredentials: Grant = {
  scopePolicy: {
    allowed: new Set(['openid', 'email', 'profile', 'groups']),
    refused: new Map([refusal('offline_access'), refusal('federated:id')]),
    error: 'invalid_scope',
  },
  connectorId: () => '',
  answer(state, { client, scopes, connectorId, form }) {
    if (client.public) {
      const description = 'Public clients cannot use client_credentials grant.'
      return oauthErrorAnswer(400, 'unauthorized_client', description)
    }
    const identity = identityOfClient(client)
    const nonce = form.get('nonce') ?? ''
    return issueTokens(state, { clientId: client.id, identity, connectorId, scopes, nonce })
  },
}
