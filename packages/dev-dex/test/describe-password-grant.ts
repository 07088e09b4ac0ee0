import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { admin, adminSubject, conformanceUsers, nameless, plain, plainSubject } from './conformance-users.ts'
import { ownClaims } from './own-claims.ts'
import { requestTokens } from './request-tokens.ts'
import { basic, sendRequest } from './send-request.ts'

const pipeline = ['ci-pipeline', 's3cr3t'] as const
const peerScope = 'audience:server:client_id:opendepot'
const asAdmin = { grant_type: 'password', username: admin.email, password: admin.password }
const everyScope = 'openid profile email groups'

/** Each refusal: the fields that differ from a good request, the status and the body. */
const refusals: readonly (readonly [string, Readonly<Record<string, string>>, number, string])[] = [
  [
    'a wrong password',
    { password: 'wrong' },
    401,
    '{"error":"access_denied","error_description":"Invalid username or password"}',
  ],
  [
    'an unknown user',
    { username: 'nobody@example.com' },
    401,
    '{"error":"access_denied","error_description":"Invalid username or password"}',
  ],
  [
    'a username that is no login',
    { username: 'admin' },
    401,
    '{"error":"access_denied","error_description":"Invalid username or password"}',
  ],
  [
    'no username',
    { username: '' },
    401,
    '{"error":"access_denied","error_description":"Invalid username or password"}',
  ],
  [
    'scopes without openid',
    { scope: 'email groups' },
    400,
    '{"error":"invalid_request","error_description":"Missing required scope(s) [\\"openid\\"]."}',
  ],
  [
    'scopes without openid before an unknown scope and a wrong password',
    { scope: 'bogus', password: 'wrong' },
    400,
    '{"error":"invalid_request","error_description":"Missing required scope(s) [\\"openid\\"]."}',
  ],
  [
    'an unknown scope before a wrong password',
    { scope: 'openid api.read', password: 'wrong' },
    400,
    '{"error":"invalid_request","error_description":"Unrecognized scope(s) [\\"api.read\\"]"}',
  ],
  [
    'a peer that does not trust the client',
    { scope: 'openid audience:server:client_id:no-groups' },
    400,
    '{"error":"invalid_request","error_description":"Client can\'t request scope(s) [\\"audience:server:client_id:no-groups\\"]"}',
  ],
]

export function describePasswordGrant(start: StartIssuer): void {
  describe('the password grant', () => {
    let issuer: ConformanceIssuer
    const ask = (fields: Readonly<Record<string, string>>, authorization = basic(...pipeline)) =>
      sendRequest(issuer.tokenEndpoint, {
        headers: { authorization },
        body: { ...asAdmin, scope: 'openid', ...fields },
      })
    beforeAll(async () => {
      issuer = await start({
        clients: [
          ...conformanceClients,
          { id: 'elsewhere', secret: 'e', allowedConnectors: ['mock'] },
          { id: 'here', secret: 'h', allowedConnectors: ['mock', 'local'] },
        ],
        users: conformanceUsers,
        passwordConnector: 'local',
      })
    })
    afterAll(() => issuer[Symbol.asyncDispose]())

    it.each(refusals)('refuses %s', async (_, fields, status, body) => {
      expect(await ask(fields)).toEqual({
        status,
        headers: { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json' },
        body,
      })
    })

    it('refuses a wrong client before anything about the user', async () => {
      expect(await ask({ password: 'wrong', scope: '' }, basic('ci-pipeline', 'x'))).toMatchObject({
        status: 401,
        body: '{"error":"invalid_client","error_description":"Invalid client credentials."}',
      })
    })

    it('refuses a client that may not use the connector, even with a wrong password', async () => {
      expect(await ask({ password: 'wrong' }, basic('elsewhere', 'e'))).toMatchObject({
        status: 400,
        body: '{"error":"invalid_grant","error_description":"Connector not allowed for this client."}',
      })
      expect((await ask({}, basic('here', 'h'))).status).toBe(200)
    })

    it('is listed in discovery', async () => {
      const discovery = JSON.parse((await sendRequest(issuer.discoveryUri)).body)
      expect(discovery.grant_types_supported).toEqual([
        'authorization_code',
        'client_credentials',
        'password',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ])
    })

    it('answers like every other grant', async () => {
      const { status, headers, body } = await ask({ scope: everyScope })
      expect(body).toMatch(
        /^\{"access_token":"ey[\w.-]+","token_type":"bearer","expires_in":86399,"id_token":"ey[\w.-]+"\}$/,
      )
      expect({ status, headers }).toEqual({
        status: 200,
        headers: {
          'cache-control': 'no-store',
          'content-length': String(body.length),
          'content-type': 'application/json',
          pragma: 'no-cache',
        },
      })
    })

    it('adds a refresh token between the two tokens for offline_access', async () => {
      const { body } = await ask({ scope: 'openid offline_access' })
      expect(body).toMatch(/,"expires_in":86399,"refresh_token":"Chl[\w-]{69}","id_token":"ey[\w.-]+"\}$/)
    })

    it('serves a public client without a secret', async () => {
      const { status } = await sendRequest(issuer.tokenEndpoint, {
        body: { ...asAdmin, scope: 'openid', client_id: 'cli' },
      })
      expect(status).toBe(200)
    })

    it('gives tokens with every claim of the user', async () => {
      const { accessToken, idToken } = await requestTokens(issuer, pipeline, {
        ...asAdmin,
        scope: `${everyScope} federated:id`,
        nonce: 'n-1',
      })
      const claims = {
        ...ownClaims(issuer, adminSubject, 'ci-pipeline'),
        nonce: 'n-1',
        email: 'Admin@example.com',
        email_verified: true,
        groups: ['team-a', 'team-a/admins'],
        name: 'Admin User',
        preferred_username: 'root',
        federated_claims: { connector_id: 'local', user_id: admin.userID },
      }
      expect(accessToken.claims).toEqual(claims)
      expect(idToken?.claims).toEqual(claims)
      expect(Object.keys(accessToken.claims).join()).toBe(
        'iss,sub,aud,exp,iat,jti,nonce,at_hash,email,email_verified,groups,name,preferred_username,federated_claims',
      )
      expect(accessToken.payload).toMatch(/\{"connector_id":"local","user_id":"08a8684b-[^}]+"\}\}$/)
      const hash = createHash('sha256').update(accessToken.jwt).digest().subarray(0, 16)
      expect(idToken?.claims['at_hash']).toBe(hash.toString('base64url'))
    })

    it('gives tokens without the claims that were not asked for', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, { ...asAdmin, scope: 'openid' })
      expect(accessToken.claims).toEqual(ownClaims(issuer, adminSubject, 'ci-pipeline'))
    })

    it('takes the username for the name, and leaves out the claims that a user does not have', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, {
        grant_type: 'password',
        username: plain.email,
        password: plain.password,
        scope: everyScope,
      })
      expect(accessToken.claims).toEqual({
        ...ownClaims(issuer, plainSubject, 'ci-pipeline'),
        email: 'plain@example.com',
        email_verified: false,
        name: 'plain',
      })
    })

    it('knows users by their email in any letter case, and their passwords exactly', async () => {
      expect((await ask({ username: 'aDMIN@EXAMPLE.com' })).status).toBe(200)
      expect((await ask({ password: 'Correct horse' })).status).toBe(401)
    })

    it('leaves out the name of a user who has none', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, {
        grant_type: 'password',
        username: nameless.email,
        password: nameless.password,
        scope: 'openid profile',
      })
      expect(accessToken.claims).toEqual(ownClaims(issuer, 'CgN1LTMSBWxvY2Fs', 'ci-pipeline'))
    })

    it('puts the peer first and names the client as azp in a token for a peer', async () => {
      const { accessToken, idToken } = await requestTokens(issuer, pipeline, {
        ...asAdmin,
        scope: `openid ${peerScope}`,
      })
      const claims = {
        ...ownClaims(issuer, adminSubject, ['opendepot', 'ci-pipeline']),
        azp: 'ci-pipeline',
      }
      expect(accessToken.claims).toEqual(claims)
      expect(idToken?.claims).toEqual(claims)
    })

    it('gives tokens that introspection and userinfo know', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, {
        ...asAdmin,
        scope: `${everyScope} federated:id`,
      })
      const { body } = await sendRequest(issuer.introspectionEndpoint, { body: { token: accessToken.jwt } })
      expect(body).toContain(`"username":"root","aud":"ci-pipeline"`)
      expect(body).toMatch(
        /"ext":\{"email":"Admin@example\.com","email_verified":true,"groups":\["team-a","team-a\/admins"\],"name":"Admin User","preferred_username":"root","federated_claims":\{"connector_id":"local","user_id":"08a8684b-[^}]+"\}\}\}$/,
      )
      const headers = { authorization: `Bearer ${accessToken.jwt}` }
      expect((await sendRequest(issuer.userinfoEndpoint, { headers })).body).toBe(accessToken.payload)
    })
  })

  it.each([
    ['has no password grant without a connector for it', {}, '{"error":"unsupported_grant_type"}'],
    [
      'refuses the password grant when its connector does not exist',
      { passwordConnector: 'nosuch' },
      '{"error":"invalid_request","error_description":"Requested connector does not exist."}',
    ],
    [
      'refuses the password grant when its connector knows no passwords',
      { passwordConnector: 'mock' },
      '{"error":"invalid_request","error_description":"Requested password connector does not correct type."}',
    ],
    [
      'refuses the password grant when its connector does not allow it',
      {
        connectors: [{ type: 'mockCallback', id: 'mock', grantTypes: ['authorization_code'] } as const],
        passwordConnector: 'mock',
      },
      '{"error":"invalid_request","error_description":"Requested connector does not support this grant type."}',
    ],
  ])('%s', async (_, options, body) => {
    await using issuer = await start({ clients: conformanceClients, users: conformanceUsers, ...options })
    const answer = await sendRequest(issuer.tokenEndpoint, {
      headers: { authorization: basic(...pipeline) },
      body: { ...asAdmin, scope: 'openid' },
    })
    expect(answer).toMatchObject({ status: 400, body })
  })
}
