import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { RecordingTracer } from './recording-tracer.ts'

test('a token request has a span below the one of its caller, and Dex gets its context', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders })
  const span = tracer.caller('vendor=1')
  await running.broker.getToken({ span })
  const [request] = tracer.named('token request')
  const { hostname, port } = new URL(running.dex.tokenEndpoint)
  expect(request).toMatchObject({
    kind: 'client',
    parent: span.context,
    end: '',
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': hostname,
      'server.port': Number(port),
      'url.full': running.dex.tokenEndpoint,
      'dex_broker.client': 'default',
      'dex_broker.grant': 'client_credentials',
    },
  })
  const { traceId, spanId } = request?.context ?? {}
  expect(running.dex.tokenRequests[0]?.headers).toMatchObject({
    traceparent: `00-${traceId}-${spanId}-01`,
    tracestate: 'vendor=1',
  })
})

test('a caller that joins a token request has a link to the caller that started it, and no span below', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders })
  const spans = [tracer.caller(), tracer.caller(), tracer.caller()] as const
  await Promise.all(spans.map(span => running.broker.getToken({ span })))
  const [leader, ...joined] = tracer.named('caller')
  expect(leader).toMatchObject({ links: [], attributes: { 'dex_broker.outcome': 'requested' } })
  for (const each of joined) {
    expect(each.attributes).toEqual({ 'dex_broker.outcome': 'joined' })
    expect(each.links).toEqual([leader?.context])
  }
  expect(tracer.named('token request').map(({ parent }) => parent)).toEqual([leader?.context])
  expect(running.dex.counts.tokenRequests).toBe(1)
})

test('a cached token starts no span', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders })
  await running.broker.getToken()
  const before = tracer.spans.length
  const span = tracer.caller()
  await running.broker.getToken({ span })
  expect(tracer.spans.slice(before).map(({ name }) => name)).toEqual(['caller'])
  expect(tracer.spans.at(-1)).toMatchObject({ attributes: {}, links: [] })
})

test('a refresh in the background belongs to the caller that caused it', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders, random: () => 0 })
  const first = await running.broker.getToken()
  running.clock.advance((first.expiresAt - running.clock.wall()) * 0.9)
  const span = tracer.caller()
  expect(await running.broker.getToken({ span })).toBe(first)
  await until(() => running.dex.counts.tokenRequests === 2)
  expect(tracer.named('token request').at(-1)?.parent).toEqual(span.context)
  expect(tracer.named('caller').at(-1)?.attributes).toEqual({})
})

test('each attempt of a token request has a span, which names its failure', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders, random: () => 0 })
  running.dex.setFault('token', { kind: 'answer', status: 503, body: 'out of order', times: 1 })
  await running.broker.getToken()
  expect(tracer.named('token request')).toMatchObject([
    { end: 'invalid_token_response', attributes: { 'http.response.status_code': 503 } },
    { end: '', attributes: { 'http.response.status_code': 200, 'http.request.resend_count': 1 } },
  ])
})

test('a request without an answer has a span without a status', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex({ tracer, client: orders, random: () => 0 })
  running.dex.setFault('token', { kind: 'reset' })
  expect((await failureOf(running.broker.getToken())).code).toBe('token_endpoint_unavailable')
  const [request] = tracer.named('token request')
  expect(request?.end).toBe('token_endpoint_unavailable')
  expect(request?.attributes).not.toHaveProperty('http.response.status_code')
})

test('a check that waits for discovery and a key set has their spans below its own', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex(dex => ({
    tracer,
    issuer: dex.issuer,
    tokenEndpoint: undefined,
    client: orders,
    gate: { audience: 'orders' },
  }))
  const span = tracer.caller()
  const claims = { iss: running.dex.issuer, aud: 'orders', exp: running.clock.wall() / 1000 + 60 }
  const verdict = await running.broker.check({
    headers: ['authorization', running.dex.signJwt(claims)],
    span,
  })
  expect(verdict.outcome).toBe('allow')
  for (const name of ['discovery', 'jwks fetch', 'token request']) {
    expect(tracer.named(name)[0], name).toMatchObject({ kind: 'client', parent: span.context, end: '' })
  }
  expect(tracer.spans.filter(({ end }) => end === undefined).map(({ name }) => name)).toEqual(['caller'])
})

test('no span holds a secret, a token, the id of a caller, a scope or a query', async () => {
  const tracer = new RecordingTracer()
  await using running = await startBrokerWithDex(dex => ({
    tracer,
    tokenEndpoint: `${dex.tokenEndpoint}?hidden=query`,
    gate: { jwksUri: `${dex.jwksUri}?hidden=query` },
    random: () => 0,
  }))
  const good = running.dex.signJwt({ exp: running.clock.wall() / 1000 + 60, sub: 'alice' })
  const check = (secret: string, token = good) =>
    running.broker.check({
      headers: [
        'authorization',
        token,
        'x-client-id',
        'orders',
        'x-client-secret',
        secret,
        'x-scope',
        'groups',
      ],
      path: '/private?key=value',
      span: tracer.caller(),
    })
  const allowed = await check('orders-secret')
  await check('another-secret')
  await check('orders-secret', `${good}x`)
  running.dex.setFault('token', {
    kind: 'answer',
    status: 401,
    body: '{"error":"invalid_client","error_description":"third-secret"}',
  })
  await check('third-secret')
  running.dex.setFault('token', { kind: 'redirect', location: 'http://127.0.0.1:1/?fourth-secret' })
  await check('fourth-secret')
  const shown = inspect(tracer.spans, { depth: 10 })
  const token = allowed.outcome === 'allow' ? (allowed.set['authorization'] as string).slice(7) : ''
  expect(token).not.toBe('')
  const hidden = [
    token,
    good,
    good.slice(-20),
    '-secret',
    'hidden',
    'orders',
    'groups',
    'alice',
    '/private',
    'Basic',
  ]
  for (const text of hidden) expect(shown).not.toContain(text)
  expect(tracer.named('token request')[0]?.attributes['dex_broker.client']).toBe('caller')
})
