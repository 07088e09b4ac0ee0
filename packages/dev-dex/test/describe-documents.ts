import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { requestTokens } from './request-tokens.ts'
import { sendRequest } from './send-request.ts'

function discoveryDocument(issuer: string, base: string, algorithm: string): string {
  const document = {
    issuer,
    authorization_endpoint: `${base}/auth`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/keys`,
    userinfo_endpoint: `${base}/userinfo`,
    device_authorization_endpoint: `${base}/device/code`,
    introspection_endpoint: `${base}/token/introspect`,
    grant_types_supported: [
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
    code_challenge_methods_supported: ['S256', 'plain'],
    scopes_supported: ['openid', 'email', 'groups', 'profile', 'offline_access'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported:
      'iss sub aud iat exp email email_verified locale name preferred_username at_hash groups federated_claims'.split(
        ' ',
      ),
  }
  return JSON.stringify(document, undefined, 2)
}

const accessDenied = '{"error":"access_denied","error_description":"Invalid bearer token."}'

export function describeDocuments(start: StartIssuer): void {
  describe('the documents', () => {
    let issuer: ConformanceIssuer
    beforeAll(async () => {
      issuer = await start({ clients: conformanceClients })
    })
    afterAll(() => issuer[Symbol.asyncDispose]())

    it('has a discovery document with every URL under the issuer', async () => {
      const body = discoveryDocument(issuer.issuer, issuer.issuer, 'RS256')
      expect(await sendRequest(issuer.discoveryUri)).toEqual({
        status: 200,
        headers: { 'content-length': String(body.length), 'content-type': 'application/json' },
        body,
      })
    })

    it('has its keys in indented JSON that may be cached for ten minutes', async () => {
      const { status, headers, body } = await sendRequest(issuer.jwksUri)
      const expected = {
        'cache-control': 'max-age=600, must-revalidate',
        'content-length': '525',
        'content-type': 'application/json',
      }
      expect({ status, headers }).toEqual({ status: 200, headers: expected })
      expect(body).toMatch(
        /^\{\n {2}"keys": \[\n {4}\{\n {6}"use": "sig",\n {6}"kty": "RSA",\n {6}"kid": "[0-9a-f]{40}",\n {6}"alg": "RS256",\n {6}"n": "[\w-]{342}",\n {6}"e": "AQAB"\n {4}\}\n {2}\]\n\}$/,
      )
      expect(await sendRequest(issuer.jwksUri, { method: 'HEAD' })).toEqual({
        status: 200,
        headers: expected,
        body: '',
      })
      expect((await sendRequest(issuer.jwksUri, { method: 'POST' })).body).toBe(body)
    })

    it('says that it is healthy', async () => {
      expect(await sendRequest(`${issuer.issuer}/healthz`)).toEqual({
        status: 200,
        headers: { 'content-length': '19', 'content-type': 'text/plain; charset=utf-8' },
        body: 'Health check passed',
      })
    })

    it.each(['/dex/token/', '/token', '/dex//token', '/dex/%74oken', '/dex/nosuch', '/'])(
      'finds nothing at %s',
      async path => {
        expect(await sendRequest(new URL(issuer.issuer).origin + path, { body: { a: 'b' } })).toEqual({
          status: 404,
          headers: {
            'content-length': '19',
            'content-type': 'text/plain; charset=utf-8',
            'x-content-type-options': 'nosniff',
          },
          body: '404 page not found\n',
        })
      },
    )

    it.each([
      ['GET', undefined, 'HTTP method is "GET", expected "POST".'],
      ['POST', '', 'The POST body can not be empty.'],
      ['POST', 'other=1', "The POST body doesn't contain 'token' parameter."],
      [
        'POST',
        'token=%zz',
        'Unable to parse HTTP body, make sure to send a properly formatted form request body.',
      ],
    ])('refuses to introspect %s with the body %s', async (method, body, description) => {
      const answer = await sendRequest(issuer.introspectionEndpoint, {
        method,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        ...(body !== undefined && { body }),
      })
      const text = JSON.stringify({ error: 'invalid_request', error_description: description })
      expect(answer).toEqual({
        status: 400,
        headers: { 'content-length': String(text.length), 'content-type': 'application/json' },
        body: text,
      })
    })

    it.each(['', 'garbage', 'a.b.c'])('introspects "%s" as inactive', async token => {
      expect(await sendRequest(issuer.introspectionEndpoint, { body: { token } })).toEqual({
        status: 200,
        headers: {
          'cache-control': 'no-store',
          'content-length': '17',
          'content-type': 'application/json',
          pragma: 'no-cache',
        },
        body: '{"active":false}\n',
      })
    })

    it('asks for a bearer token at userinfo and denies a bad one', async () => {
      expect(await sendRequest(issuer.userinfoEndpoint)).toEqual({
        status: 401,
        headers: { 'content-length': '69', 'content-type': 'application/json', 'www-authenticate': 'Bearer' },
        body: accessDenied,
      })
      expect(await sendRequest(issuer.userinfoEndpoint, { headers: { authorization: 'Bearer x' } })).toEqual({
        status: 403,
        headers: { 'content-length': '69', 'content-type': 'application/json' },
        body: accessDenied,
      })
    })
  })

  it('has elliptic keys with ES256', async () => {
    await using issuer = await start({ clients: conformanceClients, algorithm: 'ES256' })
    const { body } = await sendRequest(issuer.jwksUri)
    expect(body).toMatch(
      /"use": "sig",\n {6}"kty": "EC",\n {6}"kid": "[0-9a-f]{40}",\n {6}"crv": "P-256",\n {6}"alg": "ES256",\n {6}"x": "[\w-]{43}",\n {6}"y": "[\w-]{43}"\n/,
    )
    expect((await sendRequest(issuer.discoveryUri)).body).toBe(
      discoveryDocument(issuer.issuer, issuer.issuer, 'ES256'),
    )
  })

  it.each([
    ['/dex/', '/dex'],
    ['', ''],
  ])(
    'with the issuer path "%s" keeps the issuer as it is and joins the endpoints',
    async (issuerPath, base) => {
      await using issuer = await start({ clients: conformanceClients, issuerPath })
      const { origin } = new URL(issuer.issuer)
      expect(issuer.issuer).toBe(`${origin}${issuerPath}`)
      expect((await sendRequest(issuer.discoveryUri)).body).toBe(
        discoveryDocument(issuer.issuer, `${origin}${base}`, 'RS256'),
      )
      const { accessToken } = await requestTokens(issuer, ['ci-pipeline', 's3cr3t'])
      expect(accessToken.claims['iss']).toBe(issuer.issuer)
    },
  )
}
