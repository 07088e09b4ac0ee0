import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevDex, startDevDex } from '../src/index.ts'
import { basic, type SentRequest, sendRequest } from './send-request.ts'

const clientId = 'weird:id +/%'
const clientSecret = 'p@ss:w%rd +&=/'
const grant = { grant_type: 'client_credentials' }

interface IssuerUrls {
  readonly issuer: string
  readonly discoveryUri: string
  close(): Promise<void>
}

async function startOidcProvider(
  authMethod: 'client_secret_basic' | 'client_secret_post',
): Promise<IssuerUrls> {
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: authMethod,
      },
    ],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  })
  server.on('request', provider.callback())
  return {
    issuer,
    discoveryUri: `${issuer}/.well-known/openid-configuration`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function startLookAlike(): Promise<DevDex> {
  return startDevDex({ clients: [{ id: clientId, secret: clientSecret }] })
}

/** What any authorization server with client_credentials has in common with Dex. */
describe.each([
  ['oidc-provider', startOidcProvider],
  ['the look-alike', startLookAlike],
])('%s as an authorization server', (_, start) => {
  const issuers = {} as Record<'basic' | 'post', IssuerUrls>
  const endpoints = {} as Record<'basic' | 'post', { token: string; keys: string }>

  beforeAll(async () => {
    issuers.basic = await start('client_secret_basic')
    issuers.post = await start('client_secret_post')
    for (const method of ['basic', 'post'] as const) {
      const document = JSON.parse((await sendRequest(issuers[method].discoveryUri)).body)
      endpoints[method] = { token: document.token_endpoint, keys: document.jwks_uri }
    }
  })
  afterAll(() => Promise.all(Object.values(issuers).map(issuer => issuer.close())))

  it('has a discovery document with the fields that a client needs', async () => {
    const { status, headers, body } = await sendRequest(issuers.basic.discoveryUri)
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(JSON.parse(body)).toMatchObject({
      issuer: issuers.basic.issuer,
      token_endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
      jwks_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
      grant_types_supported: expect.arrayContaining(['client_credentials']),
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'client_secret_basic',
        'client_secret_post',
      ]),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
    })
  })

  it('publishes signing keys with ids', async () => {
    const { status, body } = await sendRequest(endpoints.basic.keys)
    expect(status).toBe(200)
    expect(JSON.parse(body).keys).toContainEqual(
      expect.objectContaining({ kty: 'RSA', use: 'sig', kid: expect.any(String), e: 'AQAB' }),
    )
  })

  it.each<[string, 'basic' | 'post', SentRequest]>([
    [
      'form-encoded Basic',
      'basic',
      { headers: { authorization: basic(clientId, clientSecret) }, body: grant },
    ],
    ['the body', 'post', { body: { ...grant, client_id: clientId, client_secret: clientSecret } }],
  ])('grants a token for credentials in %s', async (_method, issuer, request) => {
    const { status, headers, body } = await sendRequest(endpoints[issuer].token, request)
    expect({ status, cache: headers['cache-control'] }).toEqual({ status: 200, cache: 'no-store' })
    const { access_token: accessToken, token_type: tokenType, expires_in: expiresIn } = JSON.parse(body)
    expect(accessToken).toMatch(/^[\w.~+/-]+=*$/)
    expect(tokenType.toLowerCase()).toBe('bearer')
    expect(expiresIn).toBeGreaterThan(0)
  })

  it('answers a wrong secret with 401 invalid_client', async () => {
    const headers = { authorization: basic(clientId, 'wrong') }
    const { status, body } = await sendRequest(endpoints.basic.token, { headers, body: grant })
    expect({ status, error: JSON.parse(body).error }).toEqual({ status: 401, error: 'invalid_client' })
  })

  it('answers an unknown grant with 400 unsupported_grant_type', async () => {
    const headers = { authorization: basic(clientId, clientSecret) }
    const { status, body } = await sendRequest(endpoints.basic.token, {
      headers,
      body: { grant_type: 'magic' },
    })
    expect({ status, error: JSON.parse(body).error }).toEqual({
      status: 400,
      error: 'unsupported_grant_type',
    })
  })
})
