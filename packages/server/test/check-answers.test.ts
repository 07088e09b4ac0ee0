import { until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { bearerOf, billing, errorOf, orders, removedBy, startBroker } from './support/start-broker.ts'

const inOneHour = () => Math.floor(Date.now() / 1000) + 3_600

describe('a check that passes', () => {
  test('is exactly 200, empty, not to be stored, and neither chunked nor closing', async () => {
    await using broker = await startBroker()
    for (const source of ['Dex', 'the cache']) {
      const answer = await broker.check({ headers: orders })
      expect(answer.status, source).toBe(200)
      expect(answer.body).toBe('')
      expect(answer.header('content-length')).toBe('0')
      expect(answer.header('transfer-encoding')).toBeUndefined()
      expect(answer.header('cache-control')).toBe('no-store')
      expect(answer.header('connection')).toBe('keep-alive')
      expect(answer.header('set-cookie')).toBeUndefined()
      expect(answer.header('location')).toBeUndefined()
      expect(answer.header('content-type')).toBeUndefined()
    }
  })

  test('tells nothing more about the broker than it has to', async () => {
    await using broker = await startBroker()
    const names = (await broker.check({ headers: orders })).headers.map(([name]) => name)
    expect(names.toSorted()).toEqual([
      'authorization',
      'cache-control',
      'connection',
      'content-length',
      'date',
      'keep-alive',
      'x-envoy-auth-headers-to-remove',
    ])
  })

  test('has Envoy remove the credential headers, and nothing that it sets', async () => {
    await using broker = await startBroker()
    expect(removedBy(await broker.check({ headers: orders })).toSorted()).toEqual([
      'x-client-id',
      'x-client-secret',
      'x-scope',
    ])
  })

  test('removes credential headers by their configured names', async () => {
    await using broker = await startBroker({
      CLIENT_ID_HEADER: 'X-Id',
      CLIENT_SECRET_HEADER: 'X-Secret',
      SCOPE_HEADER: 'X-Wanted',
    })
    const answer = await broker.check({ headers: { 'x-id': 'orders', 'x-secret': 'orders-secret' } })
    bearerOf(answer)
    expect(removedBy(answer).toSorted()).toEqual(['x-id', 'x-secret', 'x-wanted'])
  })

  test('removes a mapped header whose field is absent, or the client could forge it', async () => {
    await using broker = await startBroker({
      UPSTREAM_TOKEN_HEADERS: 'refresh_token:x-refresh,access_token:x-access-token,id_token:x-id-token',
    })
    const without = await broker.check({
      headers: { ...orders, 'x-refresh': 'forged', 'x-id-token': 'forged' },
    })
    expect(removedBy(without)).toEqual(expect.arrayContaining(['x-refresh', 'x-id-token']))
    expect(removedBy(without)).not.toContain('x-access-token')
    expect(without.header('x-access-token')).toBe(bearerOf(without))
    const withIdToken = await broker.check({ headers: { ...orders, 'x-scope': 'openid' } })
    expect(withIdToken.header('x-id-token')).toMatch(/^ey/)
    expect(removedBy(withIdToken)).toContain('x-refresh')
    expect(removedBy(withIdToken)).not.toContain('x-id-token')
  })

  test.each([
    ['an object', { nested: 'x' }],
    ['null', null],
    ['a line break', 'x\r\nset-cookie: y'],
    ['Unicode', 't\u00f6k \u20ac'],
    ['nothing', ''],
    ['a boolean', true],
  ])('treats a mapped field that holds %s as absent', async (_, value) => {
    await using broker = await startBroker({ UPSTREAM_TOKEN_HEADERS: 'tenant:x-tenant' })
    broker.dex.setFault('token', {
      kind: 'answer',
      body: JSON.stringify({ access_token: 'abc', token_type: 'bearer', expires_in: 300, tenant: value }),
    })
    const answer = await broker.check({ headers: { ...orders, 'x-tenant': 'forged' } })
    expect(bearerOf(answer)).toBe('abc')
    expect(answer.header('x-tenant')).toBeUndefined()
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(removedBy(answer)).toContain('x-tenant')
  })

  test('sets a mapped header that is a credential header too, instead of removing it', async () => {
    await using broker = await startBroker({ UPSTREAM_TOKEN_HEADERS: 'access_token:X-Client-Secret' })
    const answer = await broker.check({ headers: orders })
    expect(answer.header('x-client-secret')).toBe(bearerOf(answer))
    expect(removedBy(answer).toSorted()).toEqual(['x-client-id', 'x-scope'])
  })

  test("removes the caller's JWT when it is not in the header that is set", async () => {
    const gate = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }
    await using apart = await startBroker(dex => ({
      ...gate,
      JWKS_URL: dex.jwksUri,
      UPSTREAM_AUTH_HEADER: 'X-Dex-Token',
    }))
    const jwt = apart.dex.signJwt({ exp: inOneHour() })
    const answer = await apart.check({ headers: { authorization: `Bearer ${jwt}` } })
    bearerOf(answer, 'x-dex-token')
    expect(answer.header('authorization')).toBeUndefined()
    expect(removedBy(answer)).toContain('authorization')

    await using same = await startBroker(dex => ({ ...gate, JWKS_URL: dex.jwksUri }))
    const other = await same.check({
      headers: { authorization: `Bearer ${same.dex.signJwt({ exp: inOneHour() })}` },
    })
    bearerOf(other)
    expect(removedBy(other)).not.toContain('authorization')
  })

  test('removes no credentials when STRIP_CREDENTIAL_HEADERS is off, but a forged mapped header still', async () => {
    await using broker = await startBroker({
      STRIP_CREDENTIAL_HEADERS: 'false',
      UPSTREAM_TOKEN_HEADERS: 'refresh_token:x-refresh',
    })
    expect(removedBy(await broker.check({ headers: orders }))).toEqual(['x-refresh'])
  })

  test('has no list of removals when there is nothing to remove', async () => {
    await using broker = await startBroker({ STRIP_CREDENTIAL_HEADERS: 'false' })
    const answer = await broker.check({ headers: orders })
    expect(answer.header('x-envoy-auth-headers-to-remove')).toBeUndefined()
  })

  test('shows how long a cached token has left, and not what Dex said once', async () => {
    await using broker = await startBroker(
      { UPSTREAM_TOKEN_HEADERS: 'expires_in:x-expires-in' },
      { idTokensMs: 300_000, byManualClock: true },
    )
    const first = Number((await broker.check({ headers: orders })).header('x-expires-in'))
    broker.clock.advance(10_000)
    const second = Number((await broker.check({ headers: orders })).header('x-expires-in'))
    expect([first, second]).toEqual([299, 289])
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })
})

describe('a check that does not pass', () => {
  test('carries a challenge, a code and nothing of the broker, of Dex or of the credentials', async () => {
    await using broker = await startBroker()
    const refused = await broker.check({ headers: { ...orders, 'x-client-secret': 'a-wrong-secret' } })
    expect(refused.status).toBe(401)
    expect(refused.header('www-authenticate')).toBe('Bearer realm="dex-token-broker"')
    expect(refused.header('cache-control')).toBe('no-store')
    expect(refused.header('content-type')).toBe('application/json')
    expect(refused.header('authorization')).toBeUndefined()
    expect(refused.header('x-envoy-auth-headers-to-remove')).toBeUndefined()
    expect(JSON.parse(refused.body)).toEqual({
      error: 'token_request_rejected',
      error_description: expect.any(String),
    })
    expect(refused.body + JSON.stringify(refused.headers)).not.toMatch(/wrong-secret|127\.0\.0\.1|\/dex/)
  })

  test.each(['GET', 'POST', 'OPTIONS', 'TRACE'])('is the same for %s', async method => {
    await using broker = await startBroker()
    expect(errorOf(await broker.check({ method }))).toBe('missing_credentials')
  })

  test('has no body for HEAD, and leaves the connection in order', async () => {
    await using broker = await startBroker()
    const answer = await broker.check({ method: 'HEAD' })
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toBe('Bearer realm="dex-token-broker"')
  })

  test('tells when to come back after a 503', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'answer', status: 429, headers: { 'Retry-After': '7' } })
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
    expect(refused.header('retry-after')).toBe('7')
  })

  test("answers before Envoy's time-out, and the token is there for the next one", async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 700 })
    const headers = { ...orders, 'x-envoy-expected-rq-timeout-ms': '300' }
    const refused = await broker.check({ headers })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
    expect(broker.dex.counts.tokensIssued).toBe(0)
    // Every check is shorter than Dex takes, and yet there is a token in the end, by one request.
    await until(async () => (await broker.check({ headers })).status === 200, 'a check that passes')
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('is remembered for wrong credentials, so that they cannot hammer Dex', async () => {
    await using broker = await startBroker()
    const wrong = { ...orders, 'x-client-secret': 'wrong' }
    for (let count = 0; count < 20; count++) {
      expect((await broker.check({ headers: wrong })).status).toBe(401)
    }
    expect(broker.dex.counts.tokenRequests).toBe(1)
    bearerOf(await broker.check({ headers: orders }))
    bearerOf(await broker.check({ headers: billing }))
  })
})
