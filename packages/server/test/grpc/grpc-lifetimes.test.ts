import { readFileSync } from 'node:fs'
import { constants } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { until, within } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { connectionAgeGraceMs } from '../../src/grpc/connection-age-grace.ts'
import type { GrpcMethod } from '../../src/grpc/grpc-method.ts'
import { orders } from '../support/start-broker.ts'
import { checkRequest, encodeRequest } from './support/envoy-client.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import { answerOf, call, checkPath, framed, openCall, openSession } from './support/raw-call.ts'
import { callHeaders, FrameConnection, frame, frameFlag, frameType } from './support/raw-frames.ts'

const empty = framed(Buffer.alloc(0))
const good = framed(encodeRequest(checkRequest({ headers: orders })))
const echo: GrpcMethod = { kind: 'unary', answer: () => empty }
const watchPath = '/grpc.health.v1.Health/Watch'

describe('the calls of a connection that is replaced', () => {
  test.each([
    ['of a stop, when a check waits less', { SHUTDOWN_TIMEOUT: '10s', HTTP_TIMEOUT: '5s' }, 10_000],
    [
      'that a check may wait for Dex, when a stop is shorter',
      { SHUTDOWN_TIMEOUT: '1s', HTTP_TIMEOUT: '20s' },
      21_000,
    ],
    ['of the default of HTTP_TIMEOUT', { SHUTDOWN_TIMEOUT: '1s' }, 6_000],
  ])('have the time %s', (_, variables, expected) => {
    const config = loadConfig({ DEX_TOKEN_URL: 'http://127.0.0.1:1/token', ...variables })
    expect(connectionAgeGraceMs(config)).toBe(expected)
  })

  test('are answered although Dex takes longer than a stop may', async () => {
    await using broker = await startGrpcBroker({
      SHUTDOWN_TIMEOUT: '100ms',
      HTTP_TIMEOUT: '5s',
      GRPC_MAX_CONNECTION_AGE: '50ms',
    })
    broker.dex.setFault('token', { kind: 'slow', delayMs: 700 })
    await using session = openSession(broker.grpcPort)
    expect((await answerOf(openCall(session).end(good))).status).toBe('0')
  })
})

test('a connection that is old waits longer than a second for the answer to its ping', async () => {
  await using server = await startGrpcServer({
    methods: { [checkPath]: echo },
    limits: { maxConnectionAgeMs: 30, maxConnectionAgeGraceMs: () => 8_000 },
  })
  using connection = new FrameConnection(server.port).open()
  await until(() => connection.frames.some(({ type }) => type === frameType.goaway), 'the notice')
  // real time: longer than the wait during a stop, in which the answer to the ping may still arrive.
  await new Promise(resolve => setTimeout(resolve, 1_300))
  connection.write(callHeaders(1), frame(frameType.data, frameFlag.endStream, 1, empty))
  await until(
    () =>
      connection.frames.filter(({ type, stream }) => type === frameType.headers && stream === 1).length === 2,
    'the answer and its trailers',
  )
  // A stop has less time, and shortens the wait.
  expect(await server.stop(3_000)).toBe(true)
})

describe('a stop', () => {
  test('ends streaming calls whose caller does not end its side', async () => {
    await using server = await startGrpcServer({
      methods: {
        [watchPath]: {
          kind: 'streaming',
          onMessage: (_, each) => each.send(empty),
          onEnd: () => {},
        },
      },
    })
    await using session = openSession(server.port)
    const streams = [openCall(session, { ':path': watchPath }), openCall(session, { ':path': watchPath })]
    const answers = streams.map(answerOf)
    streams[0]?.write(empty)
    await within(new Promise(resolve => streams[0]?.once('data', resolve)), 'the first message', 5_000)
    expect(await server.stop(3_000)).toBe(true)
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: '0', resetCode: constants.NGHTTP2_NO_ERROR })
    }
  })

  test('refuses streaming calls that begin meanwhile, and serves checks', async () => {
    await using server = await startGrpcServer({
      methods: {
        [checkPath]: echo,
        [watchPath]: { kind: 'streaming', onMessage: () => {}, onEnd: () => {} },
      },
    })
    using connection = new FrameConnection(server.port).open()
    await until(() => connection.frames.length > 0, 'the settings')
    const stopped = server.stop(3_000)
    await until(() => connection.frames.some(({ type }) => type === frameType.goaway), 'the notice')
    connection.write(
      callHeaders(1, { ':path': watchPath }),
      frame(frameType.data, 0, 1, empty),
      callHeaders(3),
      frame(frameType.data, frameFlag.endStream, 3, empty),
    )
    expect(await stopped).toBe(true)
    await connection.closed()
    const answers = (stream: number) =>
      connection.frames.filter(each => each.type === frameType.headers && each.stream === stream)
    expect(answers(1)).toHaveLength(1)
    expect(answers(3)).toHaveLength(2)
  })
})

test('a stream that is not gRPC is closed, although its client does not end it', async () => {
  await using server = await startGrpcServer({ methods: { [checkPath]: echo } })
  await using session = openSession(server.port)
  const stream = openCall(session, { 'content-type': 'text/plain' })
  stream.write('and more')
  expect(await answerOf(stream)).toMatchObject({ httpStatus: 415, resetCode: constants.NGHTTP2_NO_ERROR })
  expect((await call(session, empty)).status).toBe('0')
})

test('streams that are not gRPC and are reset at once leave no unhandled error', async () => {
  await using server = await startGrpcServer({ methods: { [checkPath]: echo } })
  using connection = new FrameConnection(server.port).open()
  const reset = Buffer.alloc(4)
  reset[3] = constants.NGHTTP2_CANCEL
  for (let stream = 1; stream < 200; stream += 2) {
    connection.write(
      callHeaders(stream, { 'content-type': 'text/plain' }),
      frame(frameType.data, 0, stream, Buffer.alloc(100)),
      frame(frameType.reset, 0, stream, reset),
    )
  }
  await using session = openSession(server.port)
  expect((await call(session, empty)).status).toBe('0')
})

test.runIf(process.platform === 'linux')('connections find out that their peer is gone', async () => {
  await using server = await startGrpcServer({ methods: { [checkPath]: echo } })
  await using session = openSession(server.port)
  await call(session, empty)
  const peer = (session.socket.address() as AddressInfo).port
  // A line has the local and the remote address, the state, the queues, and the timer: 02 is that of keep-alive.
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find(each => each.includes(`:${hex(server.port)} 0100007F:${hex(peer)} `))
  expect(line?.trim().split(/\s+/)[5]).toMatch(/^02:/)
})
