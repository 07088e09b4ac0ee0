import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeDexSubject, type OidcConnector } from '../src/index.ts'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { admin, adminSubject, conformanceUsers, nameless, plain, plainSubject } from './conformance-users.ts'
import { accessTokenType, askExchange, idTokenType } from './exchange-request.ts'
import { ownClaims } from './own-claims.ts'
import { requestTokens } from './request-tokens.ts'

const everyScope = 'openid profile email groups'
const opendepot = ['opendepot', 'od'] as const
const denied = { status: 401, body: '{"error":"access_denied"}' }

/** The connectors of the second issuer, each to the first one. */
function connectorsTo(issuer: string): readonly OidcConnector[] {
  const connector = { type: 'oidc', issuer } as const
  return [
    { ...connector, id: 'plain' },
    { ...connector, id: 'groups', insecureEnableGroups: true },
    { ...connector, id: 'userinfo', insecureEnableGroups: true, getUserInfo: true },
    { ...connector, id: 'no-email', scopes: ['profile'] },
    { ...connector, id: 'machines', scopes: ['profile'], userNameKey: 'sub', insecureEnableGroups: true },
    { ...connector, id: 'by-email', userIDKey: 'email' },
    { ...connector, id: 'by-nothing', userIDKey: 'nosuch' },
  ]
}

/** Exchanges of tokens of one issuer at a second one that has connectors to it. */
export function describeUpstreamExchange(startUpstream: StartIssuer, start: StartIssuer): void {
  describe("the exchange of another issuer's tokens", () => {
    let upstream: ConformanceIssuer
    let issuer: ConformanceIssuer
    const tokensOf = async (user: { email: string; password: string }, scope = everyScope) => {
      const { accessToken, idToken } = await requestTokens(upstream, opendepot, {
        grant_type: 'password',
        username: user.email,
        password: user.password,
        scope,
      })
      return { accessToken: accessToken.jwt, idToken: idToken?.jwt ?? '' }
    }
    const ask = (connectorId: string, token: string, fields: Readonly<Record<string, string>> = {}) =>
      askExchange(issuer, { connector_id: connectorId, subject_token: token, scope: everyScope, ...fields })
    const claimsOf = async (...asked: Parameters<typeof ask>) => {
      const { status, body } = await ask(...asked)
      expect({ status, error: JSON.parse(body).error }).toEqual({ status: 200, error: undefined })
      return decodeJwt(JSON.parse(body).access_token)
    }

    beforeAll(async () => {
      upstream = await startUpstream({
        clients: conformanceClients,
        users: conformanceUsers,
        passwordConnector: 'local',
      })
      issuer = await start({
        clients: conformanceClients,
        users: conformanceUsers,
        connectors: connectorsTo(upstream.issuer),
      })
    })
    afterAll(async () => {
      await issuer?.[Symbol.asyncDispose]()
      await upstream?.[Symbol.asyncDispose]()
    })

    it('makes a token about the upstream subject, whatever the audience of the subject token', async () => {
      const { idToken } = await tokensOf(admin)
      expect(decodeJwt(idToken).aud).toBe('opendepot')
      expect(await claimsOf('groups', idToken)).toEqual({
        ...ownClaims(issuer, encodeDexSubject(adminSubject, 'groups'), 'ci-pipeline'),
        email: 'Admin@example.com',
        email_verified: true,
        groups: ['team-a', 'team-a/admins'],
        name: 'Admin User',
        preferred_username: 'root',
      })
    })

    it('takes an access token of Dex for an ID token, because it is one', async () => {
      const { accessToken } = await tokensOf(admin)
      expect((await claimsOf('groups', accessToken))['email']).toBe('Admin@example.com')
    })

    it('leaves groups out unless the connector enables them', async () => {
      const { idToken } = await tokensOf(admin)
      expect(await claimsOf('plain', idToken)).not.toHaveProperty('groups')
    })

    it('keeps an email that is not verified', async () => {
      const { idToken } = await tokensOf(plain)
      expect(await claimsOf('groups', idToken)).toEqual({
        ...ownClaims(issuer, encodeDexSubject(plainSubject, 'groups'), 'ci-pipeline'),
        email: 'plain@example.com',
        email_verified: false,
        name: 'plain',
      })
    })

    it('asks userinfo about an access token, and denies it without userinfo', async () => {
      const { accessToken } = await tokensOf(admin)
      const asAccessToken = { subject_token_type: accessTokenType }
      expect(await claimsOf('userinfo', accessToken, asAccessToken)).toMatchObject({
        sub: encodeDexSubject(adminSubject, 'userinfo'),
        email: 'Admin@example.com',
        groups: ['team-a', 'team-a/admins'],
      })
      expect(await ask('groups', accessToken, asAccessToken)).toMatchObject(denied)
      expect(await ask('userinfo', `${accessToken}x`, asAccessToken)).toMatchObject(denied)
    })

    it('asks userinfo about an ID token too', async () => {
      const { idToken } = await tokensOf(admin)
      expect((await claimsOf('userinfo', idToken))['name']).toBe('Admin User')
    })

    it.each([
      ['without an email', 'groups', admin, 'openid profile'],
      ['without a name', 'groups', nameless, everyScope],
      ['without the claim that is the id', 'by-nothing', admin, everyScope],
    ])('denies a subject token %s', async (_, connectorId, user, scope) => {
      expect(await ask(connectorId, (await tokensOf(user, scope)).idToken)).toMatchObject(denied)
    })

    it('needs no email at a connector without the email scope', async () => {
      const { idToken } = await tokensOf(admin, 'openid profile')
      const claims = await claimsOf('no-email', idToken)
      expect(claims).toEqual({
        ...ownClaims(issuer, encodeDexSubject(adminSubject, 'no-email'), 'ci-pipeline'),
        email_verified: false,
        name: 'Admin User',
        preferred_username: 'root',
      })
    })

    it('takes the id of the user from the claim that the connector names', async () => {
      const { idToken } = await tokensOf(admin)
      expect((await claimsOf('by-email', idToken)).sub).toBe(
        encodeDexSubject('Admin@example.com', 'by-email'),
      )
    })

    it('denies the token of a client, unless the connector does without name and email', async () => {
      const { idToken } = await requestTokens(upstream, ['ci-pipeline', 's3cr3t'], { scope: everyScope })
      const token = idToken?.jwt ?? ''
      expect(await ask('groups', token)).toMatchObject(denied)
      const subject = 'CgtjaS1waXBlbGluZQ'
      expect(await claimsOf('machines', token)).toEqual({
        ...ownClaims(issuer, encodeDexSubject(subject, 'machines'), 'ci-pipeline'),
        email_verified: false,
        groups: ['ci', 'deployers'],
        name: subject,
        preferred_username: 'CI Pipeline',
      })
    })

    it.each([
      ['that is no JWT', () => 'garbage'],
      ['with a changed signature', (token: string) => `${token.slice(0, -8)}AAAAAAAA`],
      [
        'with changed claims',
        (token: string) => {
          const [header, payload = '', signature] = token.split('.')
          const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), name: 'Other' }
          return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
        },
      ],
    ])('denies a subject token %s without a description', async (_, spoil) => {
      const { idToken } = await tokensOf(admin)
      const { headers, ...answer } = await ask('groups', spoil(idToken))
      expect(answer).toEqual(denied)
      expect(headers).toEqual({ 'content-length': '25', 'content-type': 'application/json' })
    })

    it('denies its own tokens, which are of another issuer', async () => {
      const own = await requestTokens(issuer, opendepot, { scope: everyScope })
      expect(await ask('machines', own.accessToken.jwt)).toMatchObject(denied)
    })

    it('denies a bad subject token before it looks at the requested type and the peers', async () => {
      const fields = { requested_token_type: 'x', scope: 'audience:server:client_id:nosuch' }
      expect(await ask('groups', 'garbage', fields)).toMatchObject(denied)
    })

    it('makes tokens for a peer and in the form of an ID token', async () => {
      const { idToken } = await tokensOf(admin)
      const claims = await claimsOf('groups', idToken, {
        requested_token_type: idTokenType,
        scope: 'openid audience:server:client_id:opendepot',
      })
      const { at_hash: _, ...expected } = ownClaims(issuer, encodeDexSubject(adminSubject, 'groups'), [
        'opendepot',
        'ci-pipeline',
      ])
      expect(claims).toEqual({ ...expected, azp: 'ci-pipeline' })
    })
  })
}
