import { ask, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { bearerOf, errorOf, orders, startBroker, startDex, warnLevel } from './support/start-broker.ts'

// What goes wrong between Envoy and a token broker, as far as the broker can help it. Elsewhere: every method and the
// probe (check-targets.test.ts), removal of credentials (check-answers.test.ts), sizes and connections
// (check-connections.test.ts), a private authority and readiness (start-server.test.ts), the stop (graceful-stop.test.ts).

describe('a path of the client', () => {
  test.each(['//', '//orders', '/./orders', '/a/../orders', '/a//b/..//c', '/..'])(
    '%s is no reason for a redirect',
    async path => {
      await using broker = await startBroker()
      const answer = await broker.check({ target: `/check${path}`, headers: orders })
      bearerOf(answer)
      expect(answer.header('location')).toBeUndefined()
    },
  )
})

describe('a fault of the operator', () => {
  test.each([
    ['a wrong path', { kind: 'answer', status: 404 }, /DEX_TOKEN_URL/],
    ['a redirecting URL', { kind: 'redirect', location: '/elsewhere', status: 301 }, /DEX_TOKEN_URL/],
    ['a status that is no token', { kind: 'answer', status: 201, body: '{"access_token":"a"}' }, undefined],
    [
      'a Dex without the grant',
      { kind: 'answer', status: 400, body: '{"error":"unsupported_grant_type"}' },
      /oauth2\.grantTypes/,
    ],
  ] as const)('is not blamed on the client: %s is 502, with a word in the log', async (_, fault, hint) => {
    await using broker = await startBroker()
    broker.dex.setFault('token', fault)
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([502, 'invalid_token_response'])
    const line = broker.log.find(({ msg }) => msg.startsWith('token request failed'))
    expect(line?.level).toBeGreaterThan(warnLevel)
    if (hint !== undefined) expect(line?.['hint']).toMatch(hint)
  })

  test('in the static credentials is told to the operator, loudly', async () => {
    await using broker = await startBroker({ STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'wrong' })
    for (let count = 0; count < 10; count++) expect((await broker.check()).status).toBe(502)
    const errors = broker.log.filter(({ level }) => level > warnLevel)
    expect(errors).toEqual([
      expect.objectContaining({ hint: expect.stringContaining('STATIC_CLIENT_SECRET') }),
    ])
  })
})

describe('a Dex that is not there', () => {
  test('gives a 503 with a time to come back, and the service stays alive', async () => {
    const gone = await startDex()
    await gone.close()
    await using broker = await startBroker({ DEX_TOKEN_URL: gone.tokenEndpoint })
    expect((await broker.check({ headers: orders })).status).toBe(503)
    expect((await broker.admin('/healthz')).status).toBe(200)
    expect((await broker.admin('/metrics')).body).toContain(
      'dex_token_broker_token_request_duration_seconds_count{outcome="token_endpoint_unavailable"} 3',
    )
  })

  test('does not take away tokens that are still good', async () => {
    await using broker = await startBroker()
    const token = bearerOf(await broker.check({ headers: orders }))
    broker.dex.setFault('token', { kind: 'reset' })
    for (let count = 0; count < 5; count++)
      expect(bearerOf(await broker.check({ headers: orders }))).toBe(token)
  })

  test('is slow beyond ten seconds, and the check is answered all the same', async () => {
    await using broker = await startBroker(dex => ({
      HTTP_TIMEOUT: '8s',
      JWKS_URL: dex.jwksUri,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    }))
    broker.dex.setFault('keys', { kind: 'slow', delayMs: 5_200 })
    broker.dex.setFault('token', { kind: 'slow', delayMs: 5_200 })
    const jwt = broker.dex.signJwt({ exp: Math.floor(Date.now() / 1000) + 60 })
    const answer = await ask(broker.port, { headers: { authorization: jwt } }, { deadlineMs: 15_000 })
    expect(answer.status === 200 || answer.status === 503).toBe(true)
    expect(answer.header('content-length') ?? answer.header('transfer-encoding')).toBeDefined()
  })
})

describe("Envoy's time-out", () => {
  test('covers the key set and the token together: the answer is there before Envoy gives up', async () => {
    await using broker = await startBroker(dex => ({
      JWKS_URL: dex.jwksUri,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    }))
    broker.dex.setFault('keys', { kind: 'slow', delayMs: 700 })
    broker.dex.setFault('token', { kind: 'slow', delayMs: 700 })
    const authorization = broker.dex.signJwt({ exp: Math.floor(Date.now() / 1000) + 60 })
    const headers = { authorization, 'x-envoy-expected-rq-timeout-ms': '1000' }
    // 100 ms before Envoy gives up; the token comes 400 ms after that.
    expect((await broker.check({ headers })).status).toBe(503)
    expect(broker.dex.counts.tokensIssued).toBe(0)
    await until(() => broker.dex.counts.tokensIssued === 1, 'the token that nobody waits for')
    bearerOf(await broker.check({ headers }))
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })
})

describe('requests that are no check', () => {
  test('are counted, and warned of once in a while, because a wrong path_prefix looks like this', async () => {
    await using broker = await startBroker()
    for (const target of ['/', '/orders', '/checks']) {
      expect((await ask(broker.port, { target, headers: orders })).status).toBe(404)
    }
    expect(broker.log.filter(({ hint }) => String(hint).includes('path_prefix'))).toHaveLength(1)
    expect((await broker.admin('/metrics')).body).toContain('dex_token_broker_unknown_requests_total 3')
  })
})

describe('the log', () => {
  test('repeats nothing that an issuer sent about a caller, except at debug', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', {
      kind: 'answer',
      status: 401,
      body: '{"error":"an_unheard_of_error","error_description":"words of the issuer"}',
    })
    expect((await broker.check({ headers: orders })).status).toBe(401)
    await until(() => broker.log.some(({ msg }) => msg.startsWith('token request failed')), 'the log')
    expect(JSON.stringify(broker.log)).not.toMatch(/unheard_of/)
    const lines = broker.log.filter(line => JSON.stringify(line).includes('words of the issuer'))
    expect(lines).toEqual([expect.objectContaining({ level: 20, msg: 'token request rejected by Dex' })])
  })
})
