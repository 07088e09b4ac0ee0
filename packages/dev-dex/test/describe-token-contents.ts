import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ConformanceIssuer,
  conformanceClients,
  type StartIssuer,
  weirdId,
  weirdSecret,
} from './conformance-issuer.ts'
import { ownClaims } from './own-claims.ts'
import { requestTokens } from './request-tokens.ts'
import { sendRequest } from './send-request.ts'

const pipeline = ['ci-pipeline', 's3cr3t'] as const
const peerScope = 'audience:server:client_id:opendepot'

export function describeTokenContents(start: StartIssuer): void {
  describe('a token', () => {
    let issuer: ConformanceIssuer
    beforeAll(async () => {
      issuer = await start({ clients: conformanceClients })
    })
    afterAll(() => issuer[Symbol.asyncDispose]())

    it('has a header of alg and kid alone', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline)
      expect(accessToken.header).toEqual({ alg: 'RS256', kid: expect.stringMatching(/^[0-9a-f]{40}$/) })
      expect(Buffer.from(accessToken.jwt.split('.')[0] ?? '', 'base64url').toString()).toMatch(
        /^\{"alg":"RS256","kid":"/,
      )
    })

    it('without scopes has the claims of the client only', async () => {
      const { accessToken, idToken } = await requestTokens(issuer, pipeline)
      expect(idToken).toBeUndefined()
      expect(accessToken.claims).toEqual(ownClaims(issuer, 'CgtjaS1waXBlbGluZQ', 'ci-pipeline'))
      expect(Object.keys(accessToken.claims)).toEqual(['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'at_hash'])
    })

    it('lives 24 hours in whole seconds', async () => {
      const before = Math.floor(Date.now() / 1000)
      const { claims } = (await requestTokens(issuer, pipeline)).accessToken
      const after = Date.now() / 1000
      expect(Number(claims['exp']) - Number(claims['iat'])).toBe(86400)
      expect(claims['iat']).toBeGreaterThanOrEqual(before)
      expect(claims['iat']).toBeLessThanOrEqual(after)
    })

    it('has every claim of openid, profile, email and groups, and its ID token the same', async () => {
      const { accessToken, idToken } = await requestTokens(issuer, pipeline, {
        scope: 'openid profile email groups',
        nonce: 'n-1',
      })
      const claims = {
        ...ownClaims(issuer, 'CgtjaS1waXBlbGluZQ', 'ci-pipeline'),
        nonce: 'n-1',
        email_verified: false,
        groups: ['ci', 'deployers'],
        name: 'CI Pipeline',
        preferred_username: 'CI Pipeline',
      }
      expect(accessToken.claims).toEqual(claims)
      expect(idToken?.claims).toEqual(claims)
      expect(Object.keys(accessToken.claims).join()).toBe(
        'iss,sub,aud,exp,iat,jti,nonce,at_hash,email_verified,groups,name,preferred_username',
      )
      expect(idToken?.claims['jti']).not.toBe(accessToken.claims['jti'])
      const hash = createHash('sha256').update(accessToken.jwt).digest().subarray(0, 16)
      expect(idToken?.claims['at_hash']).toBe(hash.toString('base64url'))
    })

    it('has no groups claim when the client has none', async () => {
      const { accessToken } = await requestTokens(issuer, ['no-groups', 'ng'], { scope: 'openid groups' })
      expect(accessToken.claims).toEqual(ownClaims(issuer, 'Cgluby1ncm91cHM', 'no-groups'))
    })

    it('for a peer has both audiences, the peer first, and the client as azp', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, { scope: `${peerScope} groups` })
      expect(accessToken.claims).toEqual({
        ...ownClaims(issuer, 'CgtjaS1waXBlbGluZQ', ['opendepot', 'ci-pipeline']),
        azp: 'ci-pipeline',
        groups: ['ci', 'deployers'],
      })
      expect(Object.keys(accessToken.claims).join()).toBe('iss,sub,aud,exp,iat,jti,azp,at_hash,groups')
    })

    it('keeps the order and the repetitions of the audiences asked for', async () => {
      const self = 'audience:server:client_id:ci-pipeline'
      const ask = async (scope: string) =>
        (await requestTokens(issuer, pipeline, { scope })).accessToken.claims
      expect((await ask(`${self} ${peerScope}`))['aud']).toEqual(['ci-pipeline', 'opendepot'])
      expect((await ask(`${peerScope} ${peerScope}`))['aud']).toEqual([
        'opendepot',
        'opendepot',
        'ci-pipeline',
      ])
      expect((await ask(self))['aud']).toBe('ci-pipeline')
    })

    it.each([
      [weirdId, weirdSecret, 'Cgx3ZWlyZDppZCArLyU'],
      [
        'i'.repeat(200),
        'long',
        Buffer.from(`\x0a\u00c8\x01${'i'.repeat(200)}`, 'latin1').toString('base64url'),
      ],
    ])('encodes the client id %s as its subject', async (id, secret, subject) => {
      expect((await requestTokens(issuer, [id, secret])).accessToken.claims['sub']).toBe(subject)
    })

    it('has markup in its name escaped as Go escapes it', async () => {
      const { accessToken } = await requestTokens(issuer, ['markup', 'm'], { scope: 'profile' })
      expect(accessToken.payload).toContain(String.raw`"name":"A \u003cb\u003e \u0026 \"c\" \u2028"`)
    })

    it('is introspected without any client authentication', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, { scope: `${peerScope} groups profile` })
      const { exp, iat } = accessToken.claims
      const body = `{"active":true,"client_id":"ci-pipeline","sub":"CgtjaS1waXBlbGluZQ","exp":${exp},"iat":${iat},"nbf":${iat},"username":"CI Pipeline","aud":["opendepot","ci-pipeline"],"iss":"${issuer.issuer}","token_type":"Bearer","token_use":"access_token","ext":{"azp":"ci-pipeline","groups":["ci","deployers"],"name":"CI Pipeline","preferred_username":"CI Pipeline"}}`
      expect(await sendRequest(issuer.introspectionEndpoint, { body: { token: accessToken.jwt } })).toEqual({
        status: 200,
        headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
        body,
      })
    })

    it('is introspected with an empty ext when it has nothing more to say', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline)
      const { body } = await sendRequest(issuer.introspectionEndpoint, { body: { token: accessToken.jwt } })
      expect(body).toMatch(/"aud":"ci-pipeline",.*"ext":\{\}\}$/)
    })

    it('is echoed by userinfo byte for byte', async () => {
      const { accessToken } = await requestTokens(issuer, pipeline, { scope: 'groups' })
      const headers = { authorization: `bearer ${accessToken.jwt}` }
      expect(await sendRequest(issuer.userinfoEndpoint, { headers })).toEqual({
        status: 200,
        headers: {
          'content-type': 'application/json',
          'content-length': String(accessToken.payload.length),
        },
        body: accessToken.payload,
      })
    })
  })

  it('signs with ES256 when told to, and then finds none of its own tokens good', async () => {
    await using issuer = await start({ clients: conformanceClients, algorithm: 'ES256' })
    const { accessToken } = await requestTokens(issuer, pipeline)
    expect(accessToken.header['alg']).toBe('ES256')
    const introspection = await sendRequest(issuer.introspectionEndpoint, {
      body: { token: accessToken.jwt },
    })
    expect(introspection.body).toBe('{"active":false}\n')
    const headers = { authorization: `Bearer ${accessToken.jwt}` }
    expect((await sendRequest(issuer.userinfoEndpoint, { headers })).status).toBe(403)
  })
}
