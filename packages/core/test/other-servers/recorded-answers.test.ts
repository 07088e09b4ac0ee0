import { describe, expect, test } from 'vitest'
import type { DefaultClient } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'
import { type RecordedAnswer, startRecordedServer } from './recorded-server.ts'

const client = { clientId: 'reports', clientSecret: 'reports-secret' }

const entraError = (error: string, status: number, code: number, text: string): RecordedAnswer => ({
  status,
  body: {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: 3b1f6d0a-0000-4000-8000-000000000000 Correlation ID: 5e0c77a2-0000-4000-8000-000000000000 Timestamp: 2026-11-27 09:00:00Z`,
    error_codes: [code],
    timestamp: '2026-11-27 09:00:00Z',
    trace_id: '3b1f6d0a-0000-4000-8000-000000000000',
    correlation_id: '5e0c77a2-0000-4000-8000-000000000000',
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  },
})
const plainError = (status: number, error: string, description: string): RecordedAnswer => ({
  status,
  body: { error, error_description: description },
})

const keycloakToken = {
  access_token: 'keycloak.access.token',
  expires_in: 300,
  refresh_expires_in: 0,
  token_type: 'Bearer',
  'not-before-policy': 0,
  scope: 'profile email',
}
const entraToken = {
  token_type: 'Bearer',
  expires_in: 3599,
  ext_expires_in: 3599,
  access_token: 'entra.access.token',
}
const entraV1Token = {
  token_type: 'Bearer',
  expires_in: '3599',
  ext_expires_in: '3599',
  expires_on: '1795777199',
  not_before: '1795773299',
  resource: 'https://vault.azure.net',
  access_token: 'entra.v1.token',
}
const auth0Token = {
  access_token: 'auth0.access.token',
  scope: 'read:orders',
  expires_in: 86_400,
  token_type: 'Bearer',
}

describe.each<[string, object, number, DefaultClient, Record<string, string[]>]>([
  ['Keycloak', keycloakToken, 300, { scope: 'profile email' }, { scope: ['profile email'] }],
  [
    'Entra',
    entraToken,
    3599,
    { scope: 'api://6a0e3a10-0000-4000-8000-000000000000/.default' },
    { scope: ['api://6a0e3a10-0000-4000-8000-000000000000/.default'] },
  ],
  [
    'Entra, version 1',
    entraV1Token,
    3599,
    { resource: 'https://vault.azure.net' },
    { resource: ['https://vault.azure.net'] },
  ],
  [
    'Auth0',
    auth0Token,
    86_400,
    { scope: 'read:orders', extraParams: { audience: 'https://orders.example.com', organization: 'org_1' } },
    { scope: ['read:orders'], audience: ['https://orders.example.com'], organization: ['org_1'] },
  ],
])('%s', (_, body, seconds, parts, sent) => {
  test('gives a token for the parameters that it needs, which is cached for its life', async () => {
    await using server = await startRecordedServer(() => ({ status: 200, body }))
    const clock = new ManualClock()
    await using broker = new TokenBroker({
      tokenEndpoint: server.tokenEndpoint,
      clientAuthMethod: 'client_secret_post',
      client: { ...client, ...parts },
      clock,
    })
    const token = await broker.getToken()
    expect(token.accessToken).toBe((body as { access_token: string }).access_token)
    expect(token.expiresAt).toBe(clock.wall() + seconds * 1000)
    expect(broker.tokenFor({})).toBe(token)
    const [form, ...others] = server.forms
    expect(others).toEqual([])
    const names = new Set(form?.keys())
    expect(Object.fromEntries([...names].map(name => [name, form?.getAll(name)]))).toEqual({
      grant_type: ['client_credentials'],
      client_id: ['reports'],
      client_secret: ['reports-secret'],
      ...sent,
    })
  })
})

const extraParams = { audience: 'https://orders.example.com' }

test.each<[string, RecordedAnswer, DefaultClient, string, string, string]>([
  [
    'Keycloak: an unknown client',
    plainError(401, 'invalid_client', 'Invalid client or Invalid client credentials'),
    {},
    'invalid_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Keycloak: a wrong secret',
    plainError(401, 'unauthorized_client', 'Invalid client or Invalid client credentials'),
    {},
    'invalid_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Keycloak up to 17: a client without a service account',
    plainError(400, 'unauthorized_client', 'Client not enabled to retrieve service account'),
    {},
    'unauthorized_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Keycloak: an unknown scope',
    plainError(400, 'invalid_scope', 'Invalid scopes: orders'),
    { scope: 'orders' },
    'invalid_scope',
    'scope_rejected',
    'client.scope',
  ],
  [
    'Entra: a wrong secret',
    entraError('invalid_client', 401, 7000215, 'Invalid client secret provided.'),
    {},
    'invalid_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Entra: an unknown client',
    entraError('unauthorized_client', 400, 700016, "Application 'reports' was not found in the directory."),
    {},
    'unauthorized_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Entra: a scope without /.default',
    entraError('invalid_scope', 400, 1002012, 'The provided value for scope orders is not valid.'),
    { scope: 'orders' },
    'invalid_scope',
    'scope_rejected',
    'client.scope',
  ],
  [
    'Entra: no scope',
    entraError('invalid_request', 400, 900144, "The request body must contain the parameter: 'scope'."),
    {},
    'invalid_request',
    'request_not_understood',
    'client',
  ],
  [
    'Entra, version 1: an unknown resource',
    entraError('invalid_resource', 400, 500011, 'The resource principal was not found in the tenant.'),
    { resource: 'https://orders.example.com' },
    'invalid_resource',
    'resource_rejected',
    'client.resource',
  ],
  [
    'Auth0: a wrong secret',
    plainError(401, 'access_denied', 'Unauthorized'),
    { extraParams },
    'invalid_client',
    'credentials_rejected',
    'client',
  ],
  [
    'Auth0: a client without a grant for the audience',
    plainError(403, 'access_denied', 'Client is not authorized to access "https://orders.example.com".'),
    { extraParams },
    'access_denied',
    'extra_params_rejected',
    'client.extraParams',
  ],
  [
    'Auth0: an unknown audience',
    plainError(403, 'access_denied', 'Service not found: https://orders.example.com'),
    { extraParams },
    'access_denied',
    'extra_params_rejected',
    'client.extraParams',
  ],
  [
    'Auth0: a client without the grant type',
    plainError(403, 'unauthorized_client', "Grant type 'client_credentials' not allowed for the client."),
    { extraParams },
    'unauthorized_client',
    'credentials_rejected',
    'client',
  ],
])(
  '%s is the operator’s fault, with the words of the server and a hint',
  async (_, answer, parts, oauthError, problem, option) => {
    await using server = await startRecordedServer(() => answer)
    await using broker = new TokenBroker({
      tokenEndpoint: server.tokenEndpoint,
      client: { ...client, ...parts },
    })
    const error = await failureOf(broker.getToken())
    const { error_description: description } = answer.body as { error_description: string }
    expect(error).toMatchObject({
      code: 'client_misconfigured',
      transient: false,
      oauthError,
      hint: { problem, option },
      oauthErrorDescription: description.slice(0, 200),
    })
    // It is remembered: the next request would fail in the same way.
    await failureOf(broker.getToken())
    expect(server.forms).toHaveLength(1)
  },
)

test('a resource or parameter that the call itself brings is the caller’s fault', async () => {
  await using server = await startRecordedServer(form =>
    plainError(
      form.has('resource') ? 400 : 403,
      form.has('resource') ? 'invalid_target' : 'access_denied',
      'no',
    ),
  )
  await using broker = new TokenBroker({ tokenEndpoint: server.tokenEndpoint, client })
  for (const request of [{ resource: 'https://orders.example.com' }, { extraParams }]) {
    const { code, hint } = await failureOf(broker.getToken(request))
    expect({ code, hint }).toEqual({ code: 'token_request_rejected', hint: undefined })
  }
})

test.each([
  ['Keycloak', 'unauthorized_client', 'Invalid client or Invalid client credentials'],
  ['Auth0', 'access_denied', 'Unauthorized'],
])('a secret that %s refuses with its own code is followed by the previous one', async (_, error, text) => {
  await using server = await startRecordedServer(form =>
    form.get('client_secret') === 'reports-secret'
      ? { status: 200, body: keycloakToken }
      : plainError(401, error, text),
  )
  const options = { tokenEndpoint: server.tokenEndpoint, clientAuthMethod: 'client_secret_post' } as const
  await using broker = new TokenBroker({ ...options, client, cacheMaxEntries: 0 })
  await broker.getToken()
  broker.reconfigure({ ...options, client: { ...client, clientSecret: 'not in the server yet' } })
  expect((await broker.getToken()).accessToken).toBe(keycloakToken.access_token)
  expect(server.forms.map(form => form.get('client_secret'))).toEqual([
    'reports-secret',
    'not in the server yet',
    'reports-secret',
  ])
})

test.each<[string, RecordedAnswer]>([
  [
    'Auth0 at its rate limit',
    {
      ...plainError(429, 'too_many_requests', 'Global limit has been reached'),
      headers: { 'retry-after': '7' },
    },
  ],
  [
    'Entra in an outage',
    entraError('temporarily_unavailable', 503, 90033, 'A transient error has occurred.'),
  ],
  [
    'Keycloak with a fault',
    plainError(500, 'unknown_error', 'For more on this error consult the server log.'),
  ],
])('%s is transient', async (_, answer) => {
  await using server = await startRecordedServer(() => answer)
  await using broker = new TokenBroker({
    tokenEndpoint: server.tokenEndpoint,
    client,
    requestTimeoutMs: 200,
    random: () => 0,
  })
  expect(await failureOf(broker.getToken())).toMatchObject({ transient: true })
})
