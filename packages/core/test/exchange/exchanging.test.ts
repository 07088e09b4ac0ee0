import { inspect } from 'node:util'
import { encodeDexSubject } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import { failureOf, until } from '../broker-with-dex.ts'
import { claimsOf, gateOf, portal, reports, startBrokerWithUsers } from './broker-with-users.ts'

/** The userinfo endpoint of Dex finds only tokens with RS256 good. */
const withUserinfo = { idp: { algorithm: 'RS256' } } as const

describe('a token exchange', () => {
  test('gives a token of Dex about the user, for the client', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    const token = await running.exchange(jwt, { scope: 'openid email groups' })
    expect(claimsOf(token.accessToken)).toMatchObject({
      iss: running.dex.issuer,
      sub: encodeDexSubject(String(claimsOf(jwt)['sub']), 'staff'),
      aud: 'portal',
      email: 'alice@example.com',
      groups: ['team-a'],
    })
    expect(token.headers).toEqual({ authorization: `Bearer ${token.accessToken}` })
  })

  test('is the request of RFC 8693 with the connector of Dex', async () => {
    await using running = await startBrokerWithUsers({ client: { ...portal, scope: 'openid' } }, withUserinfo)
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt, { audiences: ['orders'], subjectTokenType: 'id_token' })
    await running.exchange(jwt, {
      scope: 'groups',
      subjectTokenType: 'access_token',
      connectorId: 'userinfo',
    })
    const common = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: jwt,
    }
    expect(running.dex.tokenRequests.map(({ form }) => form)).toEqual([
      {
        ...common,
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        connector_id: 'staff',
        scope: 'openid audience:server:client_id:orders',
      },
      {
        ...common,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        connector_id: 'userinfo',
        scope: 'groups',
      },
    ])
    expect(running.dex.tokenRequests[0]?.headers.authorization).toMatch(/^Basic /)
  })

  test('can be of a named client', async () => {
    await using running = await startBrokerWithUsers({
      clients: { reports: { ...reports, scope: 'openid', authMethod: 'client_secret_post' } },
    })
    const token = await running.exchange(running.jwtOf('alice'), { client: 'reports' })
    expect(claimsOf(token.accessToken)['aud']).toBe('reports')
    expect(running.dex.tokenRequests[0]?.form).toMatchObject({ client_id: 'reports', scope: 'openid' })
  })

  test('is cached, and shared by 200 calls at the same time', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    const tokens = await Promise.all(Array.from({ length: 200 }, () => running.exchange(jwt)))
    expect(new Set([...tokens, await running.exchange(jwt)]).size).toBe(1)
    expect(running.dex.counts.exchangeRequests).toBe(1)
    expect(running.broker.exchangeStatistics).toEqual({
      entries: 1,
      hits: 1,
      misses: 200,
      stale: 0,
      evictions: 0,
    })
    expect(running.broker.cacheStatistics).toMatchObject({ entries: 0, hits: 0, misses: 0 })
  })

  test('is another one for another connector, type, scope or audience, and for a new JWT of the user', async () => {
    await using running = await startBrokerWithUsers({}, withUserinfo)
    const jwt = running.jwtOf('alice')
    const tokens = [
      await running.exchange(jwt),
      await running.exchange(jwt, { connectorId: 'userinfo' }),
      await running.exchange(jwt, { connectorId: 'userinfo', subjectTokenType: 'access_token' }),
      await running.exchange(jwt, { scope: 'openid' }),
      await running.exchange(jwt, { audiences: ['orders'] }),
      await running.exchange(running.jwtOf('alice')),
    ]
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(running.dex.counts.exchangeRequests).toBe(tokens.length)
    // The order of scopes does not matter.
    await running.exchange(jwt, { scope: 'openid groups' })
    await running.exchange(jwt, { scope: 'groups openid' })
    expect(running.dex.counts.exchangeRequests).toBe(tokens.length + 1)
  })

  test("is never the client's own token", async () => {
    await using running = await startBrokerWithUsers()
    const own = await running.broker.getToken()
    const token = await running.exchange(running.jwtOf('alice'))
    expect(await running.broker.getToken()).toBe(own)
    expect(token.accessToken).not.toBe(own.accessToken)
  })

  test('can be dropped by a backend that refuses its token', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    const first = await running.exchange(jwt)
    const own = await running.broker.getToken()
    expect(running.broker.invalidate(first)).toBe(true)
    const second = await running.exchange(jwt)
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(running.broker.invalidate(first)).toBe(false)
    expect(await running.broker.getToken()).toBe(own)
  })

  test('keeps nothing in a cache without entries', async () => {
    await using running = await startBrokerWithUsers({ exchangeMaxEntries: 0 })
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt)
    await running.exchange(jwt)
    expect(running.dex.counts.exchangeRequests).toBe(2)
  })

  test('ends for a caller that leaves, and goes on for the others', async () => {
    await using running = await startBrokerWithUsers()
    running.dex.setFault('token', { kind: 'slow', delayMs: 50 })
    const jwt = running.jwtOf('alice')
    const leaving = new AbortController()
    const left = running.broker.exchange({ subjectToken: jwt, connectorId: 'staff', signal: leaving.signal })
    const staying = running.exchange(jwt)
    await until(() => running.dex.counts.exchangeRequests === 1)
    leaving.abort('gone')
    await expect(left).rejects.toBe('gone')
    await expect(staying).resolves.toBeDefined()
    running.dex.setFault('token', { kind: 'hang' })
    const late = running.broker.exchange({
      subjectToken: running.jwtOf('bob'),
      connectorId: 'staff',
      timeoutMs: 5,
    })
    expect(await failureOf(late)).toMatchObject({ code: 'token_endpoint_unavailable' })
  })

  test('goes on with the previous secret of the client until Dex has the new one', async () => {
    let clientSecret = 'portal-secret'
    await using running = await startBrokerWithUsers({
      client: { clientId: 'portal', clientSecret: () => clientSecret },
    })
    const alice = running.jwtOf('alice')
    const first = await running.exchange(alice)
    clientSecret = 'new-secret'
    running.broker.renewSecrets()
    await expect(running.exchange(running.jwtOf('bob'))).resolves.toBeDefined()
    expect(running.log.lines.map(({ message }) => message)).toContain(
      'client secret rejected by Dex; the previous one is in use',
    )
    running.dex.setClientSecret('portal', 'new-secret')
    await expect(running.exchange(running.jwtOf('carol'))).resolves.toBeDefined()
    // A token outlives the secret by which it was issued.
    expect(await running.exchange(alice)).toBe(first)
    expect(running.dex.counts.tokenRequests).toBe(4)
  })

  test('fails after the broker is closed', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt)
    await running.broker.close()
    expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'token_endpoint_unavailable' })
    expect(running.broker.exchangeStatistics.entries).toBe(0)
  })

  test('is dropped when Dex has lost the key that signed its token', async () => {
    await using running = await startBrokerWithUsers((_, dex) => ({
      tokenEndpoint: undefined,
      issuer: dex.issuer,
    }))
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt)
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart('ES256')
    running.clock.advance(60_000)
    // The new token has a key that the broker does not know.
    await running.exchange(running.jwtOf('bob'))
    await until(() => running.broker.exchangeStatistics.entries === 1)
    await running.exchange(jwt)
    expect(running.dex.counts.exchangeRequests).toBe(3)
  })
})

describe('the subject token', () => {
  const day = 86_400
  const now = Date.parse('2030-01-01T00:00:00Z') / 1000
  const whole = { iss: 'https://idp.example.com', sub: 'alice', exp: now + day }

  test.each([
    ['is empty', ''],
    ['is no JWT', 'opaque'],
    ['has claims that are no JSON', 'e30.bm90IGpzb24.c2ln'],
    ['is larger than 16 KiB', jwtWith({ ...whole, pad: 'x'.repeat(16 * 1024) })],
    ['has no exp', jwtWith({ ...whole, exp: undefined })],
    ['has an infinite exp', jwtWith(JSON.stringify(whole).replace(String(now + day), '1e999'))],
    ['has an exp that is a text', jwtWith({ ...whole, exp: String(now + day) })],
    ['has no iss', jwtWith({ ...whole, iss: undefined })],
    ['has an iss that is a list', jwtWith({ ...whole, iss: ['https://idp.example.com'] })],
    ['has no sub', jwtWith({ ...whole, sub: undefined })],
    ['has an empty sub', jwtWith({ ...whole, sub: '' })],
    ['is expired', jwtWith({ ...whole, exp: now })],
  ])('is refused without a request when it %s', async (_, subjectToken) => {
    await using running = await startBrokerWithUsers()
    expect(await failureOf(running.exchange(subjectToken))).toMatchObject({
      code: 'invalid_token',
      status: 401,
      message: 'the JWT is not acceptable',
    })
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('is verified by Dex alone without a gate, whatever its algorithm', async () => {
    await using running = await startBrokerWithUsers(
      {},
      { dex: { connectors: [{ type: 'mockCallback', id: 'staff' }] } },
    )
    await running.exchange(jwtWith(whole, { alg: 'EdDSA' }))
    expect(running.dex.counts.exchangeRequests).toBe(1)
  })

  test('is verified by the gate first, which looks at the audience in contrast to Dex', async () => {
    await using running = await startBrokerWithUsers(gateOf)
    await running.exchange(running.jwtOf('alice'))
    const forOthers = running.jwtOf('alice', { client: 'another-app' })
    expect(await failureOf(running.exchange(forOthers))).toMatchObject({ code: 'invalid_token' })
    const forged = `${running.jwtOf('alice').slice(0, -10)}AAAAAAAAAA`
    expect(await failureOf(running.exchange(forged))).toMatchObject({ code: 'invalid_token' })
    expect(running.dex.counts.exchangeRequests).toBe(1)
    expect(running.log.lines.filter(({ message }) => message === 'JWTs refused')).toHaveLength(2)

    await using open = await startBrokerWithUsers()
    await expect(open.exchange(open.jwtOf('alice', { client: 'another-app' }))).resolves.toBeDefined()
  })

  test('needs sub also with a gate, and the tolerance of the gate does not extend it', async () => {
    await using running = await startBrokerWithUsers(idp => ({
      gate: { ...gateOf(idp).gate, clockToleranceMs: 60_000 },
    }))
    const sign = (claims: object) =>
      running.idp.signJwt({ iss: running.idp.issuer, aud: 'web', sub: 'alice', exp: now + day, ...claims })
    for (const claims of [{ sub: undefined }, { exp: now - 30 }]) {
      expect(await running.broker.verify(sign(claims))).toBeDefined()
      expect(await failureOf(running.exchange(sign(claims)))).toMatchObject({ code: 'invalid_token' })
    }
    expect(running.dex.counts.exchangeRequests).toBe(0)
  })

  test('that lacks a group of the gate is forbidden', async () => {
    await using running = await startBrokerWithUsers(idp => ({
      gate: { ...gateOf(idp).gate, requiredGroups: ['admins'] },
    }))
    expect(await failureOf(running.exchange(running.jwtOf('alice')))).toMatchObject({ code: 'forbidden' })
    expect(running.dex.counts.exchangeRequests).toBe(0)
  })

  test('is in no log line, error or cached object', async () => {
    await using running = await startBrokerWithUsers(gateOf)
    const jwt = running.jwtOf('alice')
    const bad = running.idp.signJwt({ iss: running.idp.issuer, aud: 'web', sub: 'bob', exp: now + day })
    const token = await running.exchange(jwt)
    const failures = [await failureOf(running.exchange(bad))]
    const echoed = running.jwtOf('carol')
    const body = JSON.stringify({ error: 'invalid_grant', error_description: `bad ${echoed.slice(-40)}` })
    running.dex.setFault('token', { kind: 'answer', status: 400, body })
    failures.push(await failureOf(running.exchange(echoed)))
    await running.broker.close()
    const shown = inspect([running.log.lines, failures, token, running.broker], {
      depth: 12,
      showHidden: true,
    })
    for (const secret of [jwt, bad, echoed, token.accessToken, 'portal-secret']) {
      for (const part of secret
        .split('.')
        .filter(({ length }) => length > 40 || secret === 'portal-secret')) {
        expect(shown).not.toContain(part)
      }
    }
  })
})

describe('wrong use', () => {
  test.each([
    ['nothing', undefined],
    ['a promise', Promise.resolve({})],
    ['no subject token', { connectorId: 'staff' }],
    ['a subject token that is no text', { connectorId: 'staff', subjectToken: 1 }],
    ['no connector', { subjectToken: 'x' }],
    ['an empty connector', { subjectToken: 'x', connectorId: '' }],
    ['a connector that is too long', { subjectToken: 'x', connectorId: 'c'.repeat(257) }],
    ['a connector that is no Unicode', { subjectToken: 'x', connectorId: '\ud800' }],
    ['a client that is undefined', { subjectToken: 'x', connectorId: 'staff', client: undefined }],
    ['an unknown client', { subjectToken: 'e30.e30.e30', connectorId: 'staff', client: 'nobody' }],
    ['a client secret', { subjectToken: 'x', connectorId: 'staff', clientSecret: 's' }],
    ['a scope that is no text', { subjectToken: 'x', connectorId: 'staff', scope: ['openid'] }],
    ['audiences that are no list', { subjectToken: 'x', connectorId: 'staff', audiences: 'orders' }],
    ['another type', { subjectToken: 'x', connectorId: 'staff', subjectTokenType: 'jwt' }],
  ])('is a TypeError: %s', async (_, request) => {
    await using running = await startBrokerWithUsers()
    await expect(running.broker.exchange(request as never)).rejects.toThrow(TypeError)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('a client without a secret is missing credentials, because a user brings none', async () => {
    await using running = await startBrokerWithUsers({ client: { clientId: 'portal' } })
    expect(await failureOf(running.exchange(running.jwtOf('alice')))).toMatchObject({
      code: 'missing_credentials',
    })
  })
})

function jwtWith(claims: object | string, header: object = { alg: 'ES256' }): string {
  const encode = (part: string) => Buffer.from(part).toString('base64url')
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims)
  return `${encode(JSON.stringify(header))}.${encode(text)}.${encode('signature')}`
}
