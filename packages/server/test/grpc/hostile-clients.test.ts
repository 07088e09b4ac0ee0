import { constants } from 'node:http2'
import { until } from '@broker/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import { checkRequest, decodeAnswer, encodeRequest } from './support/envoy-client.ts'
import { type GrpcBroker, startGrpcBroker } from './support/grpc-broker.ts'
import { call, framed, openSession } from './support/raw-call.ts'
import {
  callFields,
  callHeaders,
  FrameConnection,
  fields,
  frame,
  frameFlag,
  frameType,
  preface,
  settings,
} from './support/raw-frames.ts'

const { data, headers, priority, reset, ping, windowUpdate, continuation } = frameType
const { endStream, endHeaders } = frameFlag
/** Without a client in it: the broker must refuse it. */
const anonymous = framed(encodeRequest(checkRequest({ headers: {} })))
const good = framed(encodeRequest(checkRequest({ headers: orders })))

let broker: GrpcBroker

beforeEach(async () => {
  broker = await startGrpcBroker()
})

afterEach(async () => {
  await broker[Symbol.asyncDispose]()
})

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function repeated(count: number, each: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => each(index)))
}

/** The number of the `index`th stream of a client. */
const streamOf = (index: number) => 2 * index + 1

/** A check without a client. */
const refusedCall = (stream: number) =>
  Buffer.concat([callHeaders(stream), frame(data, endStream, stream, anonymous)])

/** Sends checks of another client while `attack` runs; fails for one that is not allowed, or that waits for seconds. */
async function whileOthersAreServed(attack: () => Promise<unknown>): Promise<void> {
  await using session = openSession(broker.grpcPort)
  let isOver = false
  const attacked = attack().finally(() => {
    isOver = true
  })
  let longestMs = 0
  do {
    const start = performance.now()
    const { status, body } = await call(session, good)
    longestMs = Math.max(longestMs, performance.now() - start)
    expect(status).toBe('0')
    expect(decodeAnswer(body.subarray(5)).http_response).toBe('ok_response')
  } while (!isOver)
  await attacked
  expect(longestMs).toBeLessThan(5_000)
  process.env['PRINT_LATENCY'] && console.log(expect.getState().currentTestName, Math.round(longestMs), 'ms')
}

/** Whether a hostile connection received the answer of an allowed check: its header is nowhere in the bytes. */
function expectNoToken(connection: FrameConnection): void {
  for (const { type, payload } of connection.frames) {
    if (type === data && payload.length > 5) {
      expect(decodeAnswer(payload.subarray(5)).http_response).toBe('denied_response')
    }
  }
}

/** Connections that end by the server's hand. */
const ending: readonly [string, () => readonly Buffer[]][] = [
  ['a preface of another protocol', () => [Buffer.from('POST / HTTP/1.1\r\n\r\n'.repeat(100))]],
  ['a TLS hello', () => [Buffer.from(`1603010200010001fc0303${'ab'.repeat(500)}`, 'hex')]],
  ['a flood of SETTINGS', () => [preface, repeated(20_000, () => settings(3, 100))]],
  ['SETTINGS with 5,000 values', () => [preface, frame(4, 0, 0, Buffer.alloc(30_000, 1))]],
  [
    'a flood of PINGs',
    () => [preface, settings(3, 1), repeated(100_000, () => frame(ping, 0, 0, Buffer.alloc(8)))],
  ],
  [
    'headers that never end',
    () => [
      preface,
      settings(3, 1),
      frame(headers, 0, 1, fields(callFields)),
      repeated(1_000, index => frame(continuation, 0, 1, fields({ [`x-${index}`]: 'y'.repeat(100) }))),
    ],
  ],
  [
    'CONTINUATION frames without content',
    () => [preface, settings(3, 1), frame(headers, 0, 1), repeated(10_000, () => frame(continuation, 0, 1))],
  ],
  ['CONTINUATION without headers', () => [preface, settings(3, 1), frame(continuation, endHeaders, 1)]],
  [
    'a header block that is no HPACK',
    () => [preface, settings(3, 1), frame(headers, endHeaders, 1, Buffer.alloc(50, 0xff))],
  ],
  ['DATA on a stream that never was', () => [preface, settings(3, 1), frame(data, 0, 9, good)]],
  ['DATA on the stream of the connection', () => [preface, settings(3, 1), frame(data, 0, 0, good)]],
  [
    'a frame above the largest size',
    () => [preface, settings(3, 1), callHeaders(1), frame(data, 0, 1, Buffer.alloc(70_000))],
  ],
  [
    'a window that grows too large',
    () => [preface, settings(3, 1), repeated(3, () => frame(windowUpdate, 0, 0, word(0x7fffffff)))],
  ],
  ['a window that does not grow', () => [preface, settings(3, 1), frame(windowUpdate, 0, 0, word(0))]],
  ['an even stream number', () => [preface, settings(3, 1), callHeaders(2)]],
  [
    'a pushed stream',
    () => [preface, settings(3, 1), frame(5, endHeaders, 1, Buffer.concat([word(2), fields(callFields)]))],
  ],
  [
    'a flood of streams that are reset at once',
    () => [
      preface,
      settings(3, 1),
      repeated(30_000, index =>
        Buffer.concat([callHeaders(streamOf(index)), frame(reset, 0, streamOf(index), word(8))]),
      ),
    ],
  ],
]

describe('a connection is closed, and others are served, after', () => {
  test.each(ending)('%s', async (_, parts) => {
    await whileOthersAreServed(async () => {
      using connection = new FrameConnection(broker.grpcPort)
      connection.write(...parts())
      await connection.closed()
      expectNoToken(connection)
    })
  })
})

/** Streams that end alone: what a client sends, and the frames of the stream that the server sends. */
const surviving: readonly [string, () => readonly Buffer[]][] = [
  [
    '100,000 PRIORITY frames',
    () => [repeated(100_000, index => frame(priority, 0, streamOf(index % 50), Buffer.alloc(5)))],
  ],
  ['frames of an unknown type', () => [repeated(10_000, () => frame(0xee, 0xff, 0, Buffer.alloc(20)))]],
  [
    'trailers in place of a message',
    () => [callHeaders(1), frame(headers, endStream | endHeaders, 1, fields({ 'x-a': 'b' }))],
  ],
  [
    'trailers with a verdict',
    () => [
      callHeaders(1),
      frame(data, 0, 1, anonymous),
      frame(headers, endStream | endHeaders, 1, fields({ 'grpc-status': '0' })),
    ],
  ],
  ['DATA after END_STREAM', () => [refusedCall(1), frame(data, 0, 1, good), frame(data, endStream, 1, good)]],
  ['a prefix of 0xffffffff', () => [callHeaders(1), frame(data, 0, 1, framed(good, { length: 0xffffffff }))]],
  [
    'a compressed message',
    () => [callHeaders(1), frame(data, endStream, 1, framed(good.subarray(5), { flag: 1 }))],
  ],
  [
    'frames without content',
    () => [callHeaders(1), repeated(5_000, () => frame(data, 0, 1)), frame(data, endStream, 1, anonymous)],
  ],
  [
    'two paths',
    () => [
      frame(
        headers,
        endStream | endHeaders,
        1,
        Buffer.concat([fields(callFields), fields({ ':path': '/' })]),
      ),
    ],
  ],
  [
    'a header name in upper case',
    () => [frame(headers, endHeaders, 1, fields({ ...callFields, 'X-A': 'b' }))],
  ],
  [
    '500 headers',
    () => [
      frame(
        headers,
        endStream | endHeaders,
        1,
        Buffer.concat([fields(callFields), repeated(500, i => fields({ [`x-${i}`]: 'y' }))]),
      ),
    ],
  ],
  [
    'a few bytes that stand for 400,000 of headers',
    () => {
      const entry = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), Buffer.alloc(4_000, 0x79)])
      return [
        frame(
          headers,
          endStream | endHeaders,
          1,
          Buffer.concat([fields(callFields), entry, Buffer.alloc(100, 0xbe)]),
        ),
      ]
    },
  ],
  ...['99999999H', '-5S', '0n', 'x', '1S1S', '999999999S', ''].map(
    timeout =>
      [
        `grpc-timeout: ${timeout}`,
        () => [callHeaders(1, { 'grpc-timeout': timeout }), frame(data, endStream, 1, anonymous)],
      ] as [string, () => readonly Buffer[]],
  ),
]

describe('nothing is allowed, and others are served, during', () => {
  test.each(surviving)('%s', async (_, parts) => {
    await whileOthersAreServed(async () => {
      using connection = new FrameConnection(broker.grpcPort).open()
      connection.write(...parts(), frame(ping, 0, 0, Buffer.from('all read')))
      await until(
        () =>
          connection.isClosed || connection.frames.some(({ type, flags }) => type === ping && flags === 1),
        'the end, or the answer to a ping',
      )
      expectNoToken(connection)
    })
  })

  test('answers that a window of 0 holds back: 1,000 on a connection at most', async () => {
    await whileOthersAreServed(async () => {
      using connection = new FrameConnection(broker.grpcPort).open(settings(4, 0))
      connection.write(
        repeated(3_000, index => refusedCall(streamOf(index))),
        frame(ping, 0, 0, Buffer.alloc(8)),
      )
      const refused = () => connection.frames.filter(({ type }) => type === reset).length
      await until(() => connection.isClosed || refused() >= 2_000, 'the refusals')
      expect(connection.frames.filter(({ type }) => type === headers).length).toBeLessThanOrEqual(1_000)
      expect(connection.frames.filter(({ type, payload }) => type === data && payload.length > 0)).toEqual([])
    })
  })

  test('a client that asks without end and never reads', async () => {
    await whileOthersAreServed(async () => {
      using connection = new FrameConnection(broker.grpcPort).open()
      connection.socket.pause()
      for (let index = 0; index < 20 && connection.socket.writable; index++) {
        connection.write(repeated(1_000, each => refusedCall(streamOf(1_000 * index + each))))
        await new Promise(resolve => setImmediate(resolve))
      }
      await call(openSession(broker.grpcPort), good)
    })
  })

  test('2,000 connections that say nothing, and 500 that vanish halfway', async () => {
    await whileOthersAreServed(async () => {
      const connections = Array.from({ length: 2_500 }, () => new FrameConnection(broker.grpcPort))
      await until(() => connections.every(({ socket, isClosed }) => isClosed || !socket.connecting), 'all')
      for (const { socket } of connections.slice(0, 500)) socket.resetAndDestroy()
      for (const connection of connections) connection[Symbol.dispose]()
    })
  }, 60_000)

  test('100,000 connections above the limit', async () => {
    const held = Array.from({ length: 2_047 }, () => new FrameConnection(broker.grpcPort))
    await until(() => held.every(({ socket }) => !socket.connecting), 'the connections')
    await whileOthersAreServed(async () => {
      for (let round = 0; round < 200; round++) {
        const refused = Array.from({ length: 500 }, () => new FrameConnection(broker.grpcPort))
        await Promise.all(refused.map(each => each.closed()))
      }
    })
    for (const connection of held) connection[Symbol.dispose]()
    const { body } = await broker.admin('/metrics')
    expect(Number(/reason="connection_limit"} (\d+)/.exec(body)?.[1])).toBeGreaterThanOrEqual(100_000)
  }, 120_000)
})

test('10,000 calls that their client resets hold no other connection up', async () => {
  await whileOthersAreServed(async () => {
    await using session = openSession(broker.grpcPort)
    session.on('stream', () => {})
    using connection = new FrameConnection(broker.grpcPort).open()
    for (let round = 0; round < 10; round++) {
      connection.write(
        repeated(990, each => {
          const stream = streamOf(990 * round + each)
          return Buffer.concat([callHeaders(stream), frame(reset, 0, stream, word(constants.NGHTTP2_CANCEL))])
        }),
      )
      await call(session, good)
    }
    // It is within what a proxy may do, so the connection stays.
    connection.write(refusedCall(streamOf(9_900)))
    await until(() => connection.frames.some(({ stream }) => stream === streamOf(9_900)), 'an answer')
    expectNoToken(connection)
  })
})
