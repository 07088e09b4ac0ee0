import { constants } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { until, within } from '@broker/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import { checkRequest, decodeAnswer, encodeRequest } from './support/envoy-client.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import {
  answerOf,
  call,
  checkPath,
  framed,
  openCall,
  openSession,
  type RawAnswer,
} from './support/raw-call.ts'

const goodMessage = encodeRequest(checkRequest({ headers: orders }))
const good = framed(goodMessage)

/** Whether Envoy would let the client's request pass. */
function allows({ status, body }: RawAnswer): boolean {
  return status === '0' && (decodeAnswer(body.subarray(5)).status?.code ?? 0) === 0
}

describe('a call that is wrong ends alone, and never with success', () => {
  const flawed: readonly [string, Buffer, string][] = [
    ['nothing', Buffer.alloc(0), '3'],
    ['half a prefix', Buffer.alloc(3), '3'],
    ['a message that is cut short', good.subarray(0, good.length - 1), '3'],
    ['no message behind the prefix', framed(Buffer.alloc(0)), '3'],
    ['garbage', framed(Buffer.from('this is no message')), '3'],
    ['a compressed message', framed(goodMessage, { flag: 1 }), '12'],
    ['another flag', framed(goodMessage, { flag: 7 }), '13'],
    ['two messages', Buffer.concat([good, good]), '3'],
    ['a message and more bytes', Buffer.concat([good, Buffer.alloc(2)]), '3'],
    ['a prefix of 4 GiB', framed(Buffer.alloc(0), { length: 2 ** 32 - 1 }), '8'],
    ['a message above the limit', framed(Buffer.alloc(256 * 1024 + 1)), '8'],
  ]
  test.each(flawed)('with %s', async (_, body, status) => {
    await using broker = await startGrpcBroker()
    await using session = openSession(broker.grpcPort)
    const answer = await call(session, body)
    expect(answer).toMatchObject({ httpStatus: 200, status, resetCode: constants.NGHTTP2_NO_ERROR })
    expect(answer.headers['grpc-accept-encoding']).toBe('identity')
    expect(answer.body).toHaveLength(0)
    // The connection still serves.
    expect(allows(await call(session, good))).toBe(true)
  })

  const headers: readonly [string, Record<string, string>, Partial<RawAnswer>][] = [
    ['another service', { ':path': '/grpc.other.Service/Check' }, { status: '12' }],
    ['another method', { ':path': `${checkPath}s` }, { status: '12' }],
    ['a query', { ':path': `${checkPath}?a` }, { status: '12' }],
    ['a slash', { ':path': `${checkPath}/` }, { status: '12' }],
    ['dot segments', { ':path': `/x/..${checkPath}` }, { status: '12' }],
    ['the path of the HTTP listener', { ':path': '/check' }, { status: '12' }],
    ['JSON', { 'content-type': 'application/json' }, { httpStatus: 415, status: undefined }],
    ['gRPC with JSON', { 'content-type': 'application/grpc+json' }, { httpStatus: 415, status: undefined }],
    ['GET', { ':method': 'GET' }, { httpStatus: 415, status: undefined }],
  ]
  test.each(headers)('for %s', async (_, changed, expected) => {
    await using broker = await startGrpcBroker()
    await using session = openSession(broker.grpcPort)
    const stream = openCall(session, { ...changed })
    if (changed[':method'] === undefined) stream.end(good)
    const answer = await answerOf(stream)
    expect(answer).toMatchObject(expected)
    expect(allows(answer)).toBe(false)
    expect(allows(await call(session, good))).toBe(true)
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('with random bytes', async () => {
    await using broker = await startGrpcBroker()
    await using session = openSession(broker.grpcPort)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isFramed) => {
        const answer = await call(session, isFramed ? framed(bytes) : bytes)
        expect(allows(answer)).toBe(false)
        expect(answer.status).toMatch(/^([1-9]|1[0-6])$|^0$/)
      }),
      { numRuns: 300 },
    )
    expect(allows(await call(session, good))).toBe(true)
  })

  test('with a valid message that was changed: what is allowed has the token of its client', async () => {
    await using broker = await startGrpcBroker()
    await using session = openSession(broker.grpcPort)
    const secretAt = goodMessage.indexOf('orders-secret')
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const message = Buffer.from(goodMessage)
        message[secretAt + at] = (message[secretAt + at] as number) ^ change
        expect(allows(await call(session, framed(message)))).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  test('when its method throws, as INTERNAL without a word of the error', async () => {
    const errors: unknown[] = []
    await using server = await startGrpcServer({
      methods: {
        [checkPath]: {
          kind: 'unary',
          answer: () => {
            throw new Error('a secret detail')
          },
        },
      },
      onError: error => errors.push(error),
    })
    await using session = openSession(server.port)
    const answer = await call(session, good)
    expect(answer).toMatchObject({ status: '13', message: 'internal error' })
    expect(errors).toEqual([new Error('a secret detail')])
  })
})

test('headers of each case of the content type are served', async () => {
  await using broker = await startGrpcBroker()
  await using session = openSession(broker.grpcPort)
  expect(allows(await call(session, good, { 'content-type': 'application/grpc+proto' }))).toBe(true)
})

test('a message in small pieces is served', async () => {
  await using broker = await startGrpcBroker()
  await using session = openSession(broker.grpcPort)
  const stream = openCall(session)
  const answer = answerOf(stream)
  for (const byte of good) {
    await new Promise<void>(resolve => {
      stream.write(Buffer.of(byte), () => resolve())
    })
  }
  stream.end()
  expect(allows(await answer)).toBe(true)
})

test('a message of the largest size that Envoy sends is served', async () => {
  await using broker = await startGrpcBroker()
  const path = `/${'x'.repeat(60_000)}`
  const answer = await broker.envoy.check({ path, headers: { ...orders, ':path': path } })
  expect(answer.http_response).toBe('ok_response')
})

describe('a connection', () => {
  test.each([
    ['garbage', Buffer.from('\x00\x01garbage\r\n\r\n'.repeat(20))],
    ['HTTP/1.1', Buffer.from('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')],
    [
      'garbage after the preface',
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(100, 0xff)]),
    ],
  ])('with %s is closed, and others stay', async (_, bytes) => {
    await using broker = await startGrpcBroker()
    await using session = openSession(broker.grpcPort)
    expect(allows(await call(session, good))).toBe(true)
    const socket = connectTcp(broker.grpcPort, '127.0.0.1')
    socket.on('error', () => {})
    const received: Buffer[] = []
    socket.on('data', (data: Buffer) => received.push(data))
    const closed = new Promise(resolve => {
      socket.once('close', resolve)
    })
    socket.write(bytes)
    await within(closed, 'the end of the connection', 5_000)
    expect(Buffer.concat(received).toString('latin1')).not.toContain('200')
    expect(allows(await call(session, good))).toBe(true)
  })

  test('that says nothing is closed in time', async () => {
    await using server = await startGrpcServer({ limits: { receiveTimeoutMs: 50 } })
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    await within(new Promise(resolve => socket.once('close', resolve)), 'the end', 5_000)
  })

  test('whose call does not send its message in time loses that call alone', async () => {
    await using server = await startGrpcServer({
      limits: { receiveTimeoutMs: 50 },
      methods: { [checkPath]: { kind: 'unary', answer: () => framed(Buffer.alloc(0)) } },
    })
    await using session = openSession(server.port)
    const slow = openCall(session)
    slow.write(good.subarray(0, 10))
    expect(await answerOf(slow)).toMatchObject({ status: '3', message: 'the message did not arrive in time' })
    expect((await call(session, good)).status).toBe('0')
  })

  test('has a bounded number of calls at the same time, and serves all of them', async () => {
    await using broker = await startGrpcBroker({
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    })
    broker.dex.setFault('token', { kind: 'slow', delayMs: 100 })
    await using session = openSession(broker.grpcPort)
    await until(() => session.remoteSettings.maxConcurrentStreams === 1_000, 'the settings')
    const answers = await Promise.all(Array.from({ length: 1_200 }, () => call(session, good)))
    expect(answers.filter(allows)).toHaveLength(1_200)
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('that resets many calls leaves no wait behind, and still serves', async () => {
    await using broker = await startGrpcBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 300 })
    await using session = openSession(broker.grpcPort)
    const calls = Array.from({ length: 500 }, () => {
      const stream = openCall(session)
      stream.end(good)
      return stream
    })
    await until(() => broker.dex.counts.tokenRequests === 1, 'the token request')
    for (const stream of calls) stream.close(constants.NGHTTP2_CANCEL)
    expect(allows(await call(session, good))).toBe(true)
    expect(broker.dex.counts.tokenRequests).toBe(1)
    expect(broker.log.filter(({ level }) => level >= 50)).toEqual([])
  })

  test('that is destroyed during its calls ends only these', async () => {
    await using broker = await startGrpcBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 200 })
    const session = openSession(broker.grpcPort)
    const stream = openCall(session)
    stream.end(good)
    await until(() => broker.dex.counts.tokenRequests === 1, 'the token request')
    session.destroy()
    expect((await broker.envoy.check({ headers: orders })).http_response).toBe('ok_response')
    expect(broker.dex.counts.tokenRequests).toBe(1)
    expect(broker.log.filter(({ level }) => level >= 50)).toEqual([])
  })
})

describe('the wait of a check', () => {
  test.each([
    ['grpc-timeout', { 'grpc-timeout': '200m' }],
    ['Envoy’s own header', { 'x-envoy-expected-rq-timeout-ms': '200' }],
    ['the smaller of two', { 'grpc-timeout': '200m', 'x-envoy-expected-rq-timeout-ms': '60000' }],
    ['the other one', { 'grpc-timeout': '1H', 'x-envoy-expected-rq-timeout-ms': '200' }],
  ])('ends before the caller’s deadline: %s', async (_, headers) => {
    await using broker = await startGrpcBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 5_000 })
    await using session = openSession(broker.grpcPort)
    const answer = await call(session, good, headers)
    expect(answer.status).toBe('0')
    expect(decodeAnswer(answer.body.subarray(5)).denied_response?.status.code).toBe('ServiceUnavailable')
  })

  test('is left by a caller that cancels, and the token request goes on for the others', async () => {
    await using broker = await startGrpcBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 300 })
    const message = checkRequest({ headers: orders })
    const ended = new Promise<number | undefined>(resolve => {
      const cancelled = broker.envoy.start(message, {}, error => resolve(error?.code))
      void until(() => broker.dex.counts.tokenRequests === 1, 'the token request').then(() =>
        cancelled.cancel(),
      )
    })
    expect(await ended).toBe(1)
    expect((await broker.envoy.send(message)).http_response).toBe('ok_response')
    expect(broker.dex.counts.tokenRequests).toBe(1)
    const metrics = (await broker.admin('/metrics')).body
    expect(metrics).toContain('checks_total{outcome="allow",protocol="grpc"} 1')
  })
})
