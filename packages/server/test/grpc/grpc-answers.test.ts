import { BrokerError, brokerErrorCodes, refusalOf } from '@broker/core'
import { describe, expect, test } from 'vitest'
import { refusalStatus, responseFrame } from '../../src/grpc/check-response.ts'
import { billing, orders, startBroker } from '../support/start-broker.ts'
import { type CheckAnswer, decodeAnswer, EnvoyClient, type HttpRequest } from './support/envoy-client.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'

const inOneHour = () => Math.floor(Date.now() / 1000) + 3_600

/** The value of a header that an answer sets, by whatever part of it. */
function headerOf(answer: CheckAnswer, name: string): string | undefined {
  const headers = answer.ok_response?.headers ?? answer.denied_response?.headers ?? []
  return headers.find(({ header }) => header.key === name)?.header.value
}

function metadataOf(answer: CheckAnswer): Record<string, unknown> {
  const fields = (answer.dynamic_metadata?.fields ?? {}) as Record<string, Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value[value['kind'] as string]]),
  )
}

function errorOf(answer: CheckAnswer): string {
  return JSON.parse(answer.denied_response?.body ?? '{}').error
}

describe('an allowed check', () => {
  test('sets the token over the header of the caller, and removes the credentials', async () => {
    await using broker = await startGrpcBroker()
    for (const source of ['miss', 'hit']) {
      const answer = await broker.envoy.check({ headers: orders })
      expect(answer.status?.code ?? 0).toBe(0)
      expect(answer.http_response).toBe('ok_response')
      expect(answer.ok_response?.headers).toEqual([
        {
          header: { key: 'authorization', value: expect.stringMatching(/^Bearer ey/) },
          append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
        },
      ])
      expect(answer.ok_response?.headers_to_remove?.toSorted()).toEqual([
        'x-client-id',
        'x-client-secret',
        'x-scope',
      ])
      expect(metadataOf(answer)['cache']).toBe(source)
    }
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('removes nothing that it sets', async () => {
    await using broker = await startGrpcBroker({
      UPSTREAM_TOKEN_HEADERS: 'access_token:X-Client-Secret,refresh_token:x-refresh',
    })
    const answer = await broker.envoy.check({ headers: { ...orders, 'x-refresh': 'forged' } })
    const set = answer.ok_response?.headers?.map(({ header }) => header.key) ?? []
    const removed = answer.ok_response?.headers_to_remove ?? []
    expect(set.toSorted()).toEqual(['authorization', 'x-client-secret'])
    expect(removed.toSorted()).toEqual(['x-client-id', 'x-refresh', 'x-scope'])
  })

  test('carries facts about the check, and no token or secret', async () => {
    await using broker = await startGrpcBroker(dex => ({
      JWKS_URL: dex.jwksUri,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    }))
    const jwt = broker.dex.signJwt({ sub: 'alice', exp: inOneHour() })
    const answer = await broker.envoy.check({ headers: { authorization: `Bearer ${jwt}` } })
    const metadata = metadataOf(answer)
    expect(metadata).toMatchObject({ client: 'default', subject: 'alice', cache: 'miss' })
    expect(metadata['expires_at']).toBeGreaterThan(Date.now() / 1000)
    const text = JSON.stringify(metadata)
    for (const secret of [jwt, 'orders-secret', headerOf(answer, 'authorization')?.slice(7) ?? '?']) {
      expect(text).not.toContain(secret)
    }
  })

  test('has the facts of its caller, also when two callers get the same token', async () => {
    await using broker = await startGrpcBroker(dex => ({
      JWKS_URL: dex.jwksUri,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    }))
    const check = async (sub: string) => {
      const jwt = broker.dex.signJwt({ sub, exp: inOneHour() })
      return metadataOf(await broker.envoy.check({ headers: { authorization: `Bearer ${jwt}` } }))['subject']
    }
    for (const sub of ['alice', 'bob', 'alice', 'alice', 'bob']) expect(await check(sub)).toBe(sub)
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('has no metadata where that is off', async () => {
    await using broker = await startGrpcBroker({ GRPC_DYNAMIC_METADATA: 'false' })
    expect((await broker.envoy.check({ headers: orders })).dynamic_metadata).toBeUndefined()
    expect((await broker.envoy.check({})).dynamic_metadata).toBeUndefined()
  })

  test('of a route with its own client gets that client’s token', async () => {
    await using broker = await startGrpcBroker({
      ALLOW_ROUTE_CLIENTS: 'true',
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    })
    const answer = await broker.envoy.check({ context: { client: 'default', scope: 'openid groups' } })
    expect(answer.http_response).toBe('ok_response')
    expect((await broker.envoy.check({ context: { client: 'nobody' } })).denied_response?.status.code).toBe(
      'InternalServerError',
    )
  })
})

describe('a refused check', () => {
  test('carries status, headers and body, and a code that is not 0', async () => {
    await using broker = await startGrpcBroker()
    const none = await broker.envoy.check({})
    expect(none.status?.code).toBe(16)
    expect(none.denied_response?.status.code).toBe('Unauthorized')
    expect(errorOf(none)).toBe('missing_credentials')
    expect(headerOf(none, 'www-authenticate')).toBe('Bearer realm="dex-token-broker"')
    expect(headerOf(none, 'content-type')).toBe('application/json')
    const wrong = await broker.envoy.check({ headers: { ...orders, 'x-client-secret': 'wrong' } })
    expect(errorOf(wrong)).toBe('token_request_rejected')
    expect(wrong.status?.code).toBe(16)
  })

  test('for a failure of Dex is a 503 with Retry-After', async () => {
    await using broker = await startGrpcBroker()
    await broker.dex.close()
    const answer = await broker.envoy.check({ headers: orders })
    expect(answer.status?.code).toBe(14)
    expect(answer.denied_response?.status.code).toBe('ServiceUnavailable')
    expect(headerOf(answer, 'retry-after')).toMatch(/^\d+$/)
    expect(errorOf(answer)).toBe('token_endpoint_unavailable')
  })

  test.each(Object.keys(brokerErrorCodes) as (keyof typeof brokerErrorCodes)[])(
    'with %s is one for Envoy too, whatever else the message says',
    code => {
      const verdict = refusalOf(new BrokerError(code, 'text'))
      for (const facts of [undefined, {}, { client: 'orders', cache: 'miss' } as const]) {
        const frame = responseFrame(verdict, facts)
        expect(frame.readUInt32BE(1)).toBe(frame.length - 5)
        const answer = decodeAnswer(frame.subarray(5))
        expect(answer.status?.code).toBeGreaterThan(0)
        expect(answer.http_response).toBe('denied_response')
        expect(answer.ok_response).toBeUndefined()
        expect(answer.denied_response?.body).toBe(verdict.body)
        // The name that the original enum has for the number.
        expect(answer.denied_response?.status.code).toMatch(/^[A-Z]/)
        for (const option of answer.denied_response?.headers ?? [])
          expect(option.append_action).toBe('OVERWRITE_IF_EXISTS_OR_ADD')
      }
    },
  )

  test('never has the code of a success, for any status of HTTP', () => {
    for (let status = 100; status < 1_000; status++) expect(refusalStatus(status)).toBeGreaterThan(0)
  })
})

test('an empty message means success to Envoy, and is never sent', async () => {
  // What makes it dangerous: it decodes to an answer without a status.
  expect(decodeAnswer(Buffer.alloc(0)).status).toBeUndefined()
  await using broker = await startGrpcBroker()
  await expect(broker.envoy.send({})).rejects.toMatchObject({ code: 3 })
  await expect(broker.envoy.send({ attributes: { request: {} } })).rejects.toMatchObject({ code: 3 })
})

describe('headers', () => {
  const repeated: readonly [string, HttpRequest][] = [
    ['as lines', { lines: [...Object.entries(orders), ['x-client-id', 'billing']] }],
    ['joined', { headers: { ...orders, 'x-client-id': 'orders,billing' } }],
    ['as lines in other case', { lines: [...Object.entries(orders), ['X-Client-Secret', 'other']] }],
    ['as a line and joined', { headers: orders, lines: [['x-client-id', 'orders']] }],
  ]
  test.each(repeated)('that carry a credential twice, %s, are refused', async (_, request) => {
    await using broker = await startGrpcBroker()
    const answer = await broker.envoy.check(request)
    expect(answer.denied_response?.status.code).toBe('BadRequest')
    expect(errorOf(answer)).toBe('invalid_request')
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })

  test.each([
    ['Latin-1', Buffer.from('orders-secr\u00e9t', 'latin1')],
    ['broken UTF-8', Buffer.from([0x6f, 0xff, 0xfe])],
    ['UTF-8', Buffer.from('orders-secr\u00e9t')],
    ['NUL', Buffer.from('orders\0secret')],
  ])('with %s in a secret are refused', async (_, secret) => {
    await using broker = await startGrpcBroker()
    const answer = await broker.envoy.check({
      lines: [
        ['x-client-id', 'orders'],
        ['x-client-secret', secret],
      ],
    })
    expect(errorOf(answer)).toBe('invalid_request')
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })

  test('as a map and as lines give the same token', async () => {
    await using broker = await startGrpcBroker()
    const byMap = await broker.envoy.check({ headers: { ...orders, ':path': '/', ':method': 'GET' } })
    const byLines = await broker.envoy.check({
      lines: [[':path', '/'], ...Object.entries(orders), ['cookie', Buffer.from([0xff])]],
    })
    expect(headerOf(byLines, 'authorization')).toBe(headerOf(byMap, 'authorization'))
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })
})

test('both protocols share tokens, and count and log their checks apart', async () => {
  await using broker = await startGrpcBroker()
  await broker.check({ headers: orders })
  await broker.envoy.check({ headers: { ...orders, 'x-request-id': 'one' } })
  await broker.envoy.check({ headers: { ...billing, 'x-client-secret': 'wrong' } })
  expect(broker.dex.counts.tokenRequests).toBe(2)
  const metrics = (await broker.admin('/metrics')).body
  expect(metrics).toContain('checks_total{outcome="allow",protocol="http"} 1')
  expect(metrics).toContain('checks_total{outcome="allow",protocol="grpc"} 1')
  expect(metrics).toContain('checks_total{outcome="token_request_rejected",protocol="grpc"} 1')
  expect(broker.log).toContainEqual(
    expect.objectContaining({ msg: 'check', protocol: 'grpc', outcome: 'allow', request_id: 'one' }),
  )
})

test('the listener is off unless it is set', async () => {
  await using broker = await startBroker()
  expect(broker.server.grpcAddress).toBeUndefined()
  expect((await broker.admin('/metrics')).body).not.toContain('protocol="grpc"')
})

test('ten thousand checks on one connection are all allowed, by one token', async () => {
  await using broker = await startGrpcBroker()
  await using envoy = new EnvoyClient(broker.grpcPort)
  let allowed = 0
  let left = 10_000
  const caller = async () => {
    while (left-- > 0) {
      const answer = await envoy.check({ headers: orders })
      if (answer.http_response === 'ok_response' && (answer.status?.code ?? 0) === 0) allowed++
    }
  }
  await Promise.all(Array.from({ length: 50 }, caller))
  expect(allowed).toBe(10_000)
  expect(broker.dex.counts.tokenRequests).toBe(1)
}, 60_000)
