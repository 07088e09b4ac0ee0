import { Agent } from 'undici'
import { afterAll, describe, expect, test } from 'vitest'
import { hintText } from '../../src/shared/hint.ts'
import { undiciTransport } from '../../src/undici/undici-transport.ts'
import { billing, failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const usableMs = 3_569_000
const page = '<html><body>blocked</body></html>'

const agent = new Agent()
afterAll(() => agent.destroy())
/** `fetch` keeps 407 to itself, and asks again after 421. */
const transport = undiciTransport(agent)

/** What firewalls, meshes, gateways and frameworks answer in front of an authorization server. */
const answersInFront: [number, string][] = [
  [403, page],
  [403, 'RBAC: access denied'],
  [401, page],
  [401, ''],
  [400, '{"status":400,"error":"Bad Request","path":"/dex/token"}'],
  [401, '{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}'],
  [403, '{"error":"forbidden"}'],
  [403, '{"error":"Forbidden"}'],
  [401, '{"error":"unauthorized"}'],
  [400, '{"error":"bad_request"}'],
  [403, '{"error":"too_many_requests"}'],
  [403, '{"error":true}'],
  [403, '{"error":{"code":403}}'],
  [403, '["access_denied"]'],
  [400, `{"error":"${'a_'.repeat(40)}a"}`],
  [406, ''],
  [407, page],
  [411, page],
  [413, page],
  [415, page],
  [421, page],
  [431, ''],
  [451, page],
]

describe.each(answersInFront)('%i %s in front of Dex', (status, body) => {
  const fault = { kind: 'answer' as const, status, body, headers: {} }

  test('costs nobody a living token: it serves on to its end, and the next try gets a new one', async () => {
    await using running = await startBrokerWithDex({ client: orders, random: () => 0.5, transport })
    const token = await running.broker.getToken()
    running.clock.advance(usableMs * 0.9)
    running.dex.setFault('token', fault)
    expect(await running.broker.getToken()).toBe(token)
    await until(() => running.log.lines.some(({ level }) => level === 'error'))
    expect(running.broker.peekToken()).toBe(token)
    // Inside the safety margin.
    running.clock.advance(usableMs * 0.1 + 1)
    expect(await running.broker.getToken()).toBe(token)
    running.dex.clearFaults()
    // The request that was shared is over only then.
    await new Promise(resolve => setImmediate(resolve))
    running.clock.advance(20_000)
    expect(await running.broker.getToken()).not.toBe(token)
  })

  test('is 502 with a hint that names it, and is forgotten at once', async () => {
    await using running = await startBrokerWithDex({ transport })
    running.dex.setFault('token', { ...fault, times: 1 })
    const failure = await failureOf(running.broker.getToken(orders))
    expect([failure.code, failure.status]).toEqual(['invalid_token_response', 502])
    expect(failure.hint && hintText(failure.hint)).toMatch(/in front of tokenEndpoint|proxy/)
    await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  })

  test('is asked about twice and then remembered for this token, and closes Dex to nobody else', async () => {
    await using running = await startBrokerWithDex({ transport })
    running.dex.setFault('token', { ...fault, times: 2 })
    for (let time = 0; time < 30; time++)
      expect((await failureOf(running.broker.getToken(orders))).code).toBe('invalid_token_response')
    expect(running.dex.counts.tokenRequests).toBe(2)
    await expect(running.broker.getToken({ ...orders, scope: 'groups' })).resolves.toBeDefined()
    await expect(running.broker.getToken(billing)).resolves.toBeDefined()
    running.clock.advance(5_000)
    await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  })
})

test.each([408, 425])('%i in front of Dex is tried again', async status => {
  await using running = await startBrokerWithDex({ transport, random: () => 0 })
  running.dex.setFault('token', { kind: 'answer', status, body: page, times: 2 })
  await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  expect(running.dex.counts.tokenRequests).toBe(3)
})

test('refusals in front of Dex that a token separates are not two in a row: nothing is remembered', async () => {
  await using running = await startBrokerWithDex({ transport, cacheMaxEntries: 0 })
  for (let time = 0; time < 3; time++) {
    running.dex.setFault('token', { kind: 'answer', status: 403, body: page, times: 1 })
    await failureOf(running.broker.getToken(orders))
    await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  }
})

test.each([
  'invalid_scope',
  'access_denied',
  'need_info',
  'invalid_dpop_proof',
  'unmet_authentication_requirements',
])('%s is a word of an authorization server: nobody asks again', async error => {
  await using running = await startBrokerWithDex()
  running.dex.setFault('token', { kind: 'answer', status: 400, body: JSON.stringify({ error }) })
  for (let time = 0; time < 3; time++)
    expect((await failureOf(running.broker.getToken(orders))).code).toBe('token_request_rejected')
  expect(running.dex.counts.tokenRequests).toBe(1)
})

test.each([
  'Client sent an HTTP request to an HTTPS server.\n',
  '<center>The plain HTTP request was sent to HTTPS port</center>',
])('plain HTTP to a port for TLS has a hint of its own: %.20s', async body => {
  await using running = await startBrokerWithDex({ client: orders })
  running.dex.setFault('token', { kind: 'answer', status: 400, body })
  expect((await failureOf(running.broker.getToken())).hint).toMatchObject({ problem: 'not_http' })
})

describe('whose fault a rejection is', () => {
  const rejected = { kind: 'answer' as const, status: 401, body: '{"error":"invalid_client"}' }

  test('the configured client hears of its own, though a caller brought the same credentials a moment ago', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', rejected)
    expect((await failureOf(running.broker.getToken(orders))).code).toBe('token_request_rejected')
    expect((await failureOf(running.broker.getToken())).code).toBe('client_misconfigured')
    expect((await failureOf(running.broker.getToken(orders))).code).toBe('token_request_rejected')
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('a scope that a caller chose is the caller’s, the same one from the configuration is the operator’s', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, scope: 'no-such-scope' } })
    const callers = { scope: 'no-such-scope' }
    expect((await failureOf(running.broker.getToken(callers))).code).toBe('token_request_rejected')
    expect((await failureOf(running.broker.getToken())).code).toBe('client_misconfigured')
  })

  test('a wrong configured secret is one request for every scope', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, clientSecret: 'wrong' } })
    for (const scope of [undefined, 'openid', 'groups']) {
      expect((await failureOf(running.broker.getToken({ scope }))).code).toBe('client_misconfigured')
    }
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('an audience that does not trust the client has a hint on the error, whoever brings the client', async () => {
    await using running = await startBrokerWithDex()
    const failure = await failureOf(running.broker.getToken({ ...orders, audiences: ['payroll'] }))
    expect(failure).toMatchObject({ code: 'token_request_rejected', oauthError: 'invalid_scope' })
    expect(failure.hint && hintText(failure.hint)).toContain('trustedPeers')
    expect(running.log.lines.at(-1)?.fields['hint']).toContain('trustedPeers')
  })

  test('invalid_request is not taken for wrong credentials', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'answer', status: 400, body: '{"error":"invalid_request"}' })
    const failure = await failureOf(running.broker.getToken())
    expect(failure.hint && hintText(failure.hint)).toContain('could not read the request')
  })
})

describe('the log of a failed request', () => {
  test('has the URL that was asked, without its query', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      tokenEndpoint: `${dex.tokenEndpoint}?key=s3cr3t`,
    }))
    running.dex.setFault('token', { kind: 'html', status: 500 })
    await failureOf(running.broker.getToken())
    expect(running.log.lines.at(-1)?.fields['url']).toBe(`${running.dex.tokenEndpoint}?...`)
    expect(JSON.stringify(running.log.lines)).not.toContain('s3cr3t')
  })

  test('has whole milliseconds', async () => {
    await using running = await startBrokerWithDex({ client: orders, requestTimeoutMs: 5_000 })
    running.dex.setFault('token', { kind: 'html', status: 500 })
    for (let time = 0; time < 8; time++) {
      running.clock.advance(0.3)
      const { retryAfterMs } = await failureOf(running.broker.getToken())
      if (retryAfterMs !== undefined) expect(Number.isInteger(retryAfterMs)).toBe(true)
    }
    for (const { fields } of running.log.lines)
      for (const value of Object.values(fields))
        if (typeof value === 'number') expect(Number.isInteger(value)).toBe(true)
  })
})

describe('what an answer says of time', () => {
  const jwtUntil = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.x`

  test('a cache that repeats an answer does not make its token live longer', async () => {
    await using running = await startBrokerWithDex({ client: orders, expirySafetyMarginMs: 0 })
    const { clock } = running
    const firstAt = clock.wall()
    const exp = firstAt / 1000 + 8
    clock.advance(7_000)
    running.dex.setFault('token', {
      kind: 'answer',
      body: JSON.stringify({ access_token: jwtUntil(exp), expires_in: 8 }),
      headers: { Date: new Date(firstAt).toUTCString(), Age: '7', 'Content-Type': 'application/json' },
    })
    expect((await running.broker.getToken()).expiresAt).toBeLessThanOrEqual(exp * 1000)
  })

  test('the part of a second that Date leaves out does not make a token live longer', async () => {
    await using running = await startBrokerWithDex({ client: orders, expirySafetyMarginMs: 0 })
    const { clock } = running
    const exp = clock.wall() / 1000 + 8
    clock.advance(900)
    running.dex.setFault('token', {
      kind: 'answer',
      body: JSON.stringify({ access_token: jwtUntil(exp), expires_in: 8 }),
      headers: { Date: new Date(clock.wall()).toUTCString(), 'Content-Type': 'application/json' },
    })
    expect((await running.broker.getToken()).expiresAt).toBeLessThanOrEqual(exp * 1000)
  })

  test.each(['1.5', '-1', '0', '12.31.2050', '2050-01-01', 'in 5 minutes, 2050'])(
    'Retry-After %s is no time to come back: the request is tried again',
    async value => {
      await using running = await startBrokerWithDex({ client: orders })
      running.dex.setFault('token', {
        kind: 'answer',
        status: 503,
        body: '',
        headers: { 'retry-after': value },
        times: 1,
      })
      await expect(running.broker.getToken()).resolves.toBeDefined()
    },
  )

  test.each(['Tue, 01 Jan 2030 00:00:30 GMT', 'Tuesday, 01-Jan-30 00:00:30 GMT', 'Tue Jan  1 00:00:30 2030'])(
    'Retry-After %s is 30 seconds from now',
    async value => {
      await using running = await startBrokerWithDex({ client: orders })
      running.dex.setFault('token', { kind: 'answer', status: 429, headers: { 'retry-after': value } })
      expect((await failureOf(running.broker.getToken())).retryAfterMs).toBe(30_000)
    },
  )
})

test('a token and mapped fields that together are more than a proxy takes are refused where they are judged', async () => {
  await using running = await startBrokerWithDex({ client: orders, tokenHeaders: { id_token: 'x-id' } })
  const body = JSON.stringify({ access_token: 'a'.repeat(31 * 1024), id_token: 'b'.repeat(30 * 1024) })
  running.dex.setFault('token', { kind: 'answer', body })
  expect(await failureOf(running.broker.getToken())).toMatchObject({
    code: 'invalid_token_response',
    message: expect.stringContaining('60 KiB'),
  })
})
