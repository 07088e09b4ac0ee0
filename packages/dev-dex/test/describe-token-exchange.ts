import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { conformanceUsers } from './conformance-users.ts'
import { accessTokenType, askExchange, idTokenType } from './exchange-request.ts'
import { ownClaims } from './own-claims.ts'
import { basic } from './send-request.ts'

const kilgoreSubject = 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'
const peerScope = 'audience:server:client_id:opendepot'

function described(error: string, description: string): string {
  return JSON.stringify({ error, error_description: description })
}

const noConnector = described('invalid_request', 'Requested connector does not exist.')
const noSubjectType = described('request_not_supported', 'Invalid subject_token_type.')
const noRequestedType = described('request_not_supported', 'Invalid requested_token_type.')
const noToken = described('invalid_request', 'Missing subject_token')

/** Each refusal: the fields that differ from a good request, the status and the body. */
const refusals: readonly (readonly [string, Readonly<Record<string, string>>, number, string])[] = [
  ['no connector_id', { connector_id: '' }, 400, noConnector],
  ['an unknown connector', { connector_id: 'nosuch' }, 400, noConnector],
  [
    'an unknown connector before everything else',
    { connector_id: 'nosuch', subject_token: '' },
    400,
    noConnector,
  ],
  ['a connector that cannot exchange', { connector_id: 'local' }, 400, noConnector],
  [
    'a connector that does not allow it',
    { connector_id: 'browser' },
    400,
    described('invalid_request', 'Requested connector does not support this grant type.'),
  ],
  [
    'a JWT as the subject',
    { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
    400,
    noSubjectType,
  ],
  ['no subject_token_type', { subject_token_type: '' }, 400, noSubjectType],
  [
    'a wrong subject_token_type before no connector_id',
    { subject_token_type: 'x', connector_id: '' },
    400,
    noSubjectType,
  ],
  ['no subject_token', { subject_token: '' }, 400, noToken],
  ['no subject_token before no connector_id', { subject_token: '', connector_id: '' }, 400, noToken],
  [
    'a refresh token as the result',
    { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    400,
    noRequestedType,
  ],
  [
    'a wrong result before a peer that does not trust the client',
    { requested_token_type: 'x', scope: 'audience:server:client_id:no-groups' },
    400,
    noRequestedType,
  ],
  [
    'a peer that does not trust the client, with a server error',
    { scope: 'openid audience:server:client_id:no-groups' },
    500,
    '{"error":"server_error"}',
  ],
  [
    'an unknown peer, with a server error',
    { scope: 'audience:server:client_id:nosuch' },
    500,
    '{"error":"server_error"}',
  ],
]

export function describeTokenExchange(start: StartIssuer): void {
  describe('the token exchange', () => {
    let issuer: ConformanceIssuer
    const exchanged = async (fields: Readonly<Record<string, string>>) => {
      const { access_token: token, issued_token_type: type } = JSON.parse(
        (await askExchange(issuer, fields)).body,
      )
      return { type, claims: decodeJwt(token) }
    }
    beforeAll(async () => {
      issuer = await start({
        clients: [
          ...conformanceClients,
          { id: 'elsewhere', secret: 'e', allowedConnectors: ['local'] },
          { id: 'anywhere', secret: 'a', allowedConnectors: [] },
        ],
        users: conformanceUsers,
        connectors: [
          { type: 'mockCallback', id: 'mock' },
          { type: 'mockCallback', id: 'browser', grantTypes: ['authorization_code'] },
          { type: 'mockCallback', id: 'every-grant', grantTypes: [] },
        ],
      })
    })
    afterAll(() => issuer[Symbol.asyncDispose]())

    it.each(refusals)('refuses %s', async (_, fields, status, body) => {
      expect(await askExchange(issuer, fields)).toEqual({
        status,
        headers: { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json' },
        body,
      })
    })

    it('refuses a wrong client before an unknown connector', async () => {
      expect(await askExchange(issuer, { connector_id: 'nosuch' }, basic('ci-pipeline', 'x'))).toMatchObject({
        status: 401,
        body: described('invalid_client', 'Invalid client credentials.'),
      })
    })

    it('refuses a client that may not use the connector, even one that does not exist', async () => {
      const notAllowed = described('invalid_grant', 'Connector not allowed for this client.')
      for (const connectorId of ['mock', 'nosuch']) {
        expect(
          await askExchange(issuer, { connector_id: connectorId }, basic('elsewhere', 'e')),
        ).toMatchObject({ status: 400, body: notAllowed })
      }
    })

    it('takes empty lists of connectors and of grants for all of them', async () => {
      const { status } = await askExchange(issuer, { connector_id: 'every-grant' }, basic('anywhere', 'a'))
      expect(status).toBe(200)
    })

    it('answers with one access token, and says so', async () => {
      const { status, headers, body } = await askExchange(issuer)
      expect(body).toMatch(
        /^\{"access_token":"ey[\w.-]+","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"bearer","expires_in":86399\}$/,
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

    it('makes a token about the user of the connector, for the client', async () => {
      const { type, claims } = await exchanged({
        scope: 'openid profile email groups federated:id',
        nonce: 'is ignored',
      })
      expect(type).toBe(accessTokenType)
      expect(claims).toEqual({
        ...ownClaims(issuer, kilgoreSubject, 'ci-pipeline'),
        email: 'kilgore@kilgore.trout',
        email_verified: true,
        groups: ['authors'],
        name: 'Kilgore Trout',
        federated_claims: { connector_id: 'mock', user_id: '0-385-28089-0' },
      })
    })

    it('makes an ID token without at_hash when one is requested', async () => {
      const { type, claims } = await exchanged({ requested_token_type: idTokenType })
      const { at_hash: _, ...expected } = ownClaims(issuer, kilgoreSubject, 'ci-pipeline')
      expect(type).toBe(idTokenType)
      expect(claims).toEqual(expected)
    })

    it('makes an access token of an access token', async () => {
      const { type, claims } = await exchanged({
        subject_token_type: accessTokenType,
        requested_token_type: accessTokenType,
      })
      expect(type).toBe(accessTokenType)
      expect(claims).toEqual(ownClaims(issuer, kilgoreSubject, 'ci-pipeline'))
    })

    it('lets unknown scopes and the parameters of RFC 8693 pass without an effect', async () => {
      const { claims } = await exchanged({
        scope: 'api.read offline_access',
        audience: 'opendepot',
        resource: 'https://example.com',
        actor_token: 'x',
      })
      expect(claims).toEqual(ownClaims(issuer, kilgoreSubject, 'ci-pipeline'))
    })

    it('puts the peer first and names the client as azp in a token for a peer', async () => {
      const { claims } = await exchanged({ scope: peerScope })
      expect(claims).toEqual({
        ...ownClaims(issuer, kilgoreSubject, ['opendepot', 'ci-pipeline']),
        azp: 'ci-pipeline',
      })
    })

    it('serves a public client without a secret', async () => {
      expect((await askExchange(issuer, {}, basic('cli', ''))).status).toBe(200)
    })
  })

  it('leaves expires_in out of an exchange when the lifetime is below a second', async () => {
    await using issuer = await start({ clients: conformanceClients, idTokensMs: 800 })
    const { body } = await askExchange(issuer)
    expect(Object.keys(JSON.parse(body))).toEqual(['access_token', 'issued_token_type', 'token_type'])
  })

  it('knows no token exchange when it is not enabled', async () => {
    await using issuer = await start({ clients: conformanceClients, grantTypes: ['client_credentials'] })
    expect(await askExchange(issuer)).toMatchObject({
      status: 400,
      body: '{"error":"unsupported_grant_type"}',
    })
  })
}
