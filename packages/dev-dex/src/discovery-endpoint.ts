import { type Answer, jsonAnswer } from './answer.ts'
import { goIndentedJson } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'

/** Answers the discovery document; every URL comes from the issuer, never from the Host header. */
export function answerDiscovery({ location, keys, grantTypes }: IssuerState): Answer {
  const document = {
    issuer: location.issuer,
    authorization_endpoint: location.url('/auth'),
    token_endpoint: location.url('/token'),
    jwks_uri: location.url('/keys'),
    userinfo_endpoint: location.url('/userinfo'),
    device_authorization_endpoint: location.url('/device/code'),
    introspection_endpoint: location.url('/token/introspect'),
    grant_types_supported: [...grantTypes].sort(),
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [keys.advertisedAlgorithm],
    code_challenge_methods_supported: ['S256', 'plain'],
    scopes_supported: ['openid', 'email', 'groups', 'profile', 'offline_access'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'email',
      'email_verified',
      'locale',
      'name',
      'preferred_username',
      'at_hash',
      'groups',
      'federated_claims',
    ],
  }
  return jsonAnswer(200, goIndentedJson(document))
}
