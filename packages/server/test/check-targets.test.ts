import { METHODS } from 'node:http'
import { ask, RawConnection } from '@broker/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BrokerUnderTest, bearerOf, errorOf, orders, startBroker } from './support/start-broker.ts'

let broker: BrokerUnderTest
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker[Symbol.asyncDispose]())

async function statusOf(target: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await ask(broker.port, { target, headers })).status
}

describe('the check', () => {
  test.each(METHODS.filter(method => method !== 'CONNECT'))('answers %s', async method => {
    const passed = await broker.check({ method, headers: orders })
    expect(passed.status).toBe(200)
    bearerOf(passed)
    expect((await broker.check({ method })).status).toBe(401)
  })

  test.each(METHODS.filter(method => method !== 'CONNECT'))(
    'answers %s when it has to wait',
    async method => {
      await using waiting = await startBroker({ CACHE_MAX_ENTRIES: '0' })
      expect((await waiting.check({ method, headers: orders })).status).toBe(200)
    },
  )

  test('is refused for CONNECT with 403, and the connection ends', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.send({ method: 'CONNECT', target: 'backend.example:443', headers: orders })
    expect((await connection.answer()).status).toBe(403)
    await connection.closed()
  })

  test.each([
    ['/check'],
    ['/check?'],
    ['/check?a=b&c=%zz'],
    ['/check/'],
    ['/check/orders/17'],
    ['/check//orders'],
    ['/check//healthz'],
    ['/check/./healthz'],
    ['/check/../healthz'],
    ['/check/x/../../healthz'],
    ['/check/..%2fhealthz'],
    ['/check/%2e%2e/healthz'],
    ['/check/%2E%2E/healthz'],
    ['/check/.%2e/healthz'],
    ['/check/..;/healthz'],
    ['/check/..\\healthz'],
    ['/check\\..\\healthz', 404],
    ['/check/\\..\\..\\healthz'],
    ['/check/%5c..%5chealthz'],
    ['/check/%00'],
    ['/check/%'],
    ['/check/{}|^`"<>'],
    ['/check/http://x/healthz'],
    ['/check/metrics'],
    [`/check/${'x'.repeat(30_000)}`],
  ])('takes %s for what it is', async (target, status = 401) => {
    expect(await statusOf(target)).toBe(status)
    expect(await statusOf(target, orders)).toBe(status === 401 ? 200 : status)
  })

  test.each([
    'user@host',
    'user:password@host',
    'host:99999',
    'host:-1',
    'a b',
    'h\u00f6st.example',
    'xn--hst-sna.example',
    '[::1]:80',
    '[::1',
    '../healthz',
    'host/healthz?',
    'host#',
    '%',
    '',
  ])('does not care for the Host "%s"', async host => {
    const passed = await broker.check({ headers: { Host: host, ...orders } })
    expect(passed.status).toBe(200)
    bearerOf(passed)
    expect(errorOf(await broker.check({ headers: { Host: host } }))).toBe('missing_credentials')
  })

  test('needs no Host, and two do no harm', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(`GET /check HTTP/1.1\r\nx-client-id: orders\r\nx-client-secret: orders-secret\r\n\r\n`)
    expect((await connection.answer()).status).toBe(200)
    const twice = [['Host', 'a.example'], ['Host', 'b.example'], ...Object.entries(orders)] as const
    expect((await broker.check({ headers: twice })).status).toBe(200)
    expect((await broker.check({ headers: twice.slice(0, 2) })).status).toBe(401)
  })

  test('is the same for a websocket upgrade, and the connection stays HTTP', async () => {
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    await using connection = await RawConnection.open(broker.port)
    connection.send({ target: '/check/socket', headers: upgrade })
    expect((await connection.answer()).status).toBe(401)
    connection.send({ target: '/check/socket', headers: { ...upgrade, ...orders } })
    bearerOf(await connection.answer())
    connection.send({ headers: orders })
    bearerOf(await connection.answer())
  })

  test('is the same for an h2c upgrade and for any expectation', async () => {
    bearerOf(
      await broker.check({
        headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '', ...orders },
      }),
    )
    bearerOf(await broker.check({ headers: { Expect: 'a miracle', ...orders } }))
  })
})

describe('the probe', () => {
  test('is exactly /healthz, for any method', async () => {
    const answer = await broker.check({ target: '/healthz' })
    expect(answer.status).toBe(200)
    expect(answer.body.trim()).toBe('ok')
    expect(answer.header('authorization')).toBeUndefined()
    expect(await statusOf('/healthz', orders)).toBe(200)
    expect((await broker.check({ method: 'HEAD', target: '/healthz' })).status).toBe(200)
  })

  test.each([
    'x-envoy-internal',
    'X-Envoy-Internal',
    'X-ENVOY-EXPECTED-RQ-TIMEOUT-MS',
    'x-envoy-attempt-count',
    'x-envoy-',
  ])('is not there for what comes through Envoy with %s', async name => {
    expect(await statusOf('/healthz', { [name]: 'true' })).toBe(404)
    expect(await statusOf('/healthz', { ...orders, [name]: '' })).toBe(404)
  })
})

describe('anything else', () => {
  test.each([
    '/',
    '/healthz?',
    '/healthz?x',
    '/healthz/',
    '/healthz#x',
    '/healthz%20',
    '//healthz',
    '/./healthz',
    '/x/../healthz',
    '/HEALTHZ',
    '/%68ealthz',
    '/CHECK',
    '/Check/x',
    '/checks',
    '/check;x',
    '/check%2fx',
    '/check#x',
    '//check',
    '/./check',
    '/x/../check',
    '/metrics',
    '/readyz',
    'http://client.example/healthz',
    'http://client.example/check',
    'http://client.example/check/x',
    'https://client.example/healthz',
    '*',
    'healthz',
    'check',
  ])('%s gets neither 200 nor a redirect, whatever the credentials', async target => {
    const answer = await broker.check({ target, headers: orders })
    expect([400, 404]).toContain(answer.status)
    expect(answer.header('location')).toBeUndefined()
    expect(answer.header('authorization')).toBeUndefined()
  })

  test('an empty target is 400', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write('GET  HTTP/1.1\r\nHost: x\r\n\r\n')
    expect((await connection.answer()).status).toBe(400)
    await connection.closed()
  })
})

describe('whatever a client sends', () => {
  const piece = fc.constantFrom(
    '/check',
    '/healthz',
    'check',
    'healthz',
    '/',
    '//',
    '/.',
    '/..',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    '?',
    '#',
    '&',
    'http://x',
    '*',
    ':',
    '@',
    '%00',
    'x',
  )
  const target = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 8 }).map(pieces => pieces.join('')),
    fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })
      .map(text => text.replaceAll(/\s/g, '%20')),
    fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })
      .map(text => `/check${text.replaceAll(/\s/g, '%20')}`),
  )
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'QUERY',
  )
  const host = fc.constantFrom('x', 'user@host', 'host:99999', '', '../healthz', 'x/healthz?')
  const envoy = fc.constantFrom({}, { 'X-Envoy-Internal': 'true' })
  const credentials = fc.constantFrom({}, orders, { ...orders, 'x-client-secret': 'wrong' })

  test('only a check with good credentials and the bare probe get 200; no other success, no redirect', async () => {
    const parts = fc.record({ target, method, host, envoy, credentials })
    await fc.assert(
      fc.asyncProperty(parts, async request => {
        const { target, method, host } = request
        const headers = { Host: host, ...request.envoy, ...request.credentials }
        const answer = await ask(broker.port, { method, target, headers })
        expect(answer.status < 200 || answer.status > 399 || answer.status === 200).toBe(true)
        expect(answer.header('location')).toBeUndefined()
        if (answer.status !== 200) return
        const isProbe = target === '/healthz' && Object.keys(request.envoy).length === 0
        if (isProbe) return
        expect(target).toMatch(/^\/check(?:$|[/?])/)
        expect(request.credentials).toBe(orders)
        bearerOf(answer)
      }),
      {
        numRuns: 400,
        examples: [[{ target: '/healthz', method: 'GET', host: 'x', envoy: {}, credentials: {} }]],
      },
    )
  })
})
