import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type DevDex, encodeDexSubject, type SignJwtOptions, startDevDex } from '../src/index.ts'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { accessTokenType, askExchange } from './exchange-request.ts'
import { ownClaims } from './own-claims.ts'
import type { ReceivedResponse } from './send-request.ts'

const denied = { status: 401, body: '{"error":"access_denied"}' }
const now = () => Math.floor(Date.now() / 1000)

/** Exchanges of tokens that no Dex would issue: the upstream is a look-alike, which signs anything. */
export function describeOddSubjectTokens(start: StartIssuer): void {
  describe('the exchange of an odd subject token', () => {
    let upstream: DevDex
    let issuer: ConformanceIssuer
    const sign = (change: object, options?: SignJwtOptions) => {
      const claims = { iss: upstream.issuer, sub: 's-1', exp: now() + 60, name: 'N', email: 'n@example.com' }
      return upstream.signJwt({ ...claims, email_verified: true, ...change }, options)
    }
    const ask = (token: string, connectorId = 'groups', fields: Readonly<Record<string, string>> = {}) =>
      askExchange(issuer, {
        connector_id: connectorId,
        subject_token: token,
        scope: 'profile email groups',
        ...fields,
      })
    const claimsOf = ({ status, body }: ReceivedResponse) => {
      expect(status).toBe(200)
      return decodeJwt(JSON.parse(body).access_token)
    }

    beforeAll(async () => {
      upstream = await startDevDex({ clients: conformanceClients })
      const connector = { type: 'oidc', issuer: upstream.issuer, insecureEnableGroups: true } as const
      issuer = await start({
        clients: conformanceClients,
        connectors: [
          { ...connector, id: 'groups' },
          { ...connector, id: 'skipping', insecureSkipEmailVerified: true },
          { ...connector, id: 'userinfo', getUserInfo: true },
          { ...connector, id: 'userinfo-skipping', getUserInfo: true, insecureSkipEmailVerified: true },
          { ...connector, id: 'empty-scopes', scopes: [] },
          { ...connector, id: 'by-email', userIDKey: 'email' },
          { ...connector, id: 'cluster', scopes: ['profile'], userNameKey: 'sub' },
        ],
      })
    })
    afterAll(async () => {
      await issuer?.[Symbol.asyncDispose]()
      await upstream?.close()
    })
    beforeEach(() => {
      upstream.clearFaults()
    })

    it('succeeds for a token without an audience', async () => {
      expect(claimsOf(await ask(sign({})))).toEqual({
        ...ownClaims(issuer, encodeDexSubject('s-1', 'groups'), 'ci-pipeline'),
        email: 'n@example.com',
        email_verified: true,
        name: 'N',
      })
    })

    it.each<[string, object, SignJwtOptions?]>([
      ['of another issuer', { iss: 'http://127.0.0.1:1/dex' }],
      ['that has expired', { exp: 1 }],
      ['without an expiry', { exp: undefined }],
      ['that is not valid for ten minutes yet', { nbf: now() + 600 }],
      ['without a subject', { sub: undefined }],
      ['whose subject is a number', { sub: 7 }],
      ['whose name is a number', { name: 7 }],
      ['without email_verified', { email_verified: undefined }],
      ['whose email_verified is a text', { email_verified: 'true' }],
      ['whose groups have a number among them', { groups: ['a', 1] }],
      ['whose groups have a list among them', { groups: ['a', ['b']] }],
      ['without a signature', {}, { alg: 'none' }],
      ['with an algorithm that discovery does not list', {}, { alg: 'RS512' }],
      ['with an unknown key id', {}, { kid: 'other' }],
    ])('is denied for one %s', async (_, change, options) => {
      expect(await ask(sign(change, options))).toMatchObject(denied)
    })

    it('succeeds without a key id and with some tolerance for nbf', async () => {
      expect((await ask(sign({ nbf: now() + 60 }, { kid: null }))).status).toBe(200)
    })

    it.each([
      ['one text', 'team', ['team']],
      ['objects with a name', [{ name: 'a' }, { id: 'x' }, 'b'], ['a', 'b']],
      ['an object', { name: 'a' }, undefined],
      ['an empty list', [], undefined],
    ])('takes over groups that are %s', async (_, groups, expected) => {
      expect(claimsOf(await ask(sign({ groups })))['groups']).toEqual(expected)
    })

    it('takes a missing email_verified for true where the connector says so', async () => {
      const claims = claimsOf(await ask(sign({ email_verified: undefined }), 'skipping'))
      expect(claims['email_verified']).toBe(true)
      expect(claimsOf(await ask(sign({ email_verified: false }), 'skipping'))['email_verified']).toBe(false)
    })

    it('needs an email where the connector has an empty list of scopes', async () => {
      expect(await ask(sign({ email: undefined }), 'empty-scopes')).toMatchObject(denied)
    })

    it('needs a subject even where another claim is the id', async () => {
      expect(claimsOf(await ask(sign({}), 'by-email')).sub).toBe(
        encodeDexSubject('n@example.com', 'by-email'),
      )
      expect(await ask(sign({ sub: undefined }), 'by-email')).toMatchObject(denied)
    })

    it('fetches the keys again when none fits, and remembers those that it has', async () => {
      expect((await ask(sign({}))).status).toBe(200)
      const withOldKey = sign({})
      upstream.resetRecords()
      expect((await ask(withOldKey)).status).toBe(200)
      expect(upstream.counts.keysRequests).toBe(0)
      await upstream.rotateKeys()
      upstream.retireKey()
      expect((await ask(withOldKey)).status).toBe(200)
      expect((await ask(sign({}))).status).toBe(200)
      expect(await ask(withOldKey)).toMatchObject(denied)
      expect(upstream.counts).toMatchObject({ keysRequests: 2, discoveryRequests: 0 })
    })

    it('fetches no keys for what cannot be a token of the issuer', async () => {
      upstream.resetRecords()
      for (const token of ['any', 'a.b.c', sign({}, { alg: 'RS512' }), sign({}, { alg: 'none' })]) {
        expect(await ask(token)).toMatchObject(denied)
      }
      expect(upstream.counts.keysRequests).toBe(0)
      expect(await ask(sign({}, { kid: 'other' }))).toMatchObject(denied)
      expect(upstream.counts.keysRequests).toBe(1)
    })

    it('is denied while the keys that it needs cannot be fetched', async () => {
      await upstream.rotateKeys()
      upstream.setFault('keys', { kind: 'html', status: 503 })
      expect(await ask(sign({}))).toMatchObject(denied)
      upstream.setFault('keys', { kind: 'reset' })
      expect(await ask(sign({}))).toMatchObject(denied)
      upstream.clearFaults()
      expect((await ask(sign({}))).status).toBe(200)
    })

    it('goes by userinfo, whose claims replace those of the token', async () => {
      const answerUserinfo = (claims: unknown, status = 200) =>
        upstream.setFault('/dex/userinfo', {
          kind: 'answer',
          status,
          headers: { 'content-type': 'application/json' },
          body: typeof claims === 'string' ? claims : JSON.stringify(claims),
        })
      const asAccessToken = { subject_token_type: accessTokenType }
      answerUserinfo({ name: 'M', groups: ['g'] })
      expect(claimsOf(await ask(sign({}), 'userinfo'))).toMatchObject({
        email: 'n@example.com',
        groups: ['g'],
        name: 'M',
      })
      expect(await ask('opaque', 'userinfo', asAccessToken)).toMatchObject(denied)

      const claims = { sub: 's-2', name: 'M', email: 'm@example.com', email_verified: false }
      answerUserinfo(claims)
      expect(claimsOf(await ask('opaque', 'userinfo', asAccessToken)).sub).toBe(
        encodeDexSubject('s-2', 'userinfo'),
      )
      for (const odd of [{ ...claims, email_verified: 'false' }, { ...claims, email_verified: 0 }, 'x']) {
        answerUserinfo(odd)
        expect(await ask('opaque', 'userinfo', asAccessToken)).toMatchObject(denied)
      }
      answerUserinfo({ ...claims, email_verified: 'false' })
      expect((await ask('opaque', 'userinfo-skipping', asAccessToken)).status).toBe(200)
      answerUserinfo({ ...claims, email_verified: 0 })
      expect(await ask('opaque', 'userinfo-skipping', asAccessToken)).toMatchObject(denied)
      answerUserinfo(claims, 201)
      expect(await ask('opaque', 'userinfo', asAccessToken)).toMatchObject(denied)
      upstream.setFault('/dex/userinfo', { kind: 'html', status: 500 })
      expect(await ask(sign({}), 'userinfo')).toMatchObject(denied)
    })

    it('succeeds for a service account of Kubernetes where the connector does without name and email', async () => {
      const sub = 'system:serviceaccount:jobs:nightly'
      const token = upstream.signJwt({
        aud: ['https://kubernetes.default.svc'],
        exp: now() + 60,
        iss: upstream.issuer,
        'kubernetes.io': { namespace: 'jobs' },
        nbf: now(),
        sub,
      })
      expect(await ask(token)).toMatchObject(denied)
      expect(claimsOf(await ask(token, 'cluster'))).toEqual({
        ...ownClaims(issuer, encodeDexSubject(sub, 'cluster'), 'ci-pipeline'),
        email_verified: false,
        name: sub,
      })
    })

    it('makes of a token that was signed without a request what it makes of one from a login', async () => {
      const token = upstream.userToken({
        client: 'opendepot',
        connector: 'github',
        userID: '42',
        email: 'octo@example.com',
        username: 'Octo',
        groups: ['org:team'],
      })
      expect(claimsOf(await ask(token))).toEqual({
        ...ownClaims(issuer, encodeDexSubject(encodeDexSubject('42', 'github'), 'groups'), 'ci-pipeline'),
        email: 'octo@example.com',
        email_verified: true,
        groups: ['org:team'],
        name: 'Octo',
      })
    })
  })

  it('does not start with a connector whose issuer does not answer, or is called otherwise', async () => {
    await using upstream = await startDevDex()
    for (const issuer of ['http://127.0.0.1:1/dex', `${upstream.issuer}/`]) {
      const connectors = [{ type: 'oidc', id: 'upstream', issuer } as const]
      await expect(start({ clients: conformanceClients, connectors })).rejects.toThrow()
    }
  })
}
