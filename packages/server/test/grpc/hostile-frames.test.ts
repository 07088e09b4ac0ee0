import { afterEach, beforeEach, describe, test } from 'vitest'
import { type GrpcBroker, startGrpcBroker } from './support/grpc-broker.ts'
import {
  allRead,
  anonymousMessage,
  expectNothingAllowed,
  goodMessage,
  refusedCall,
  repeated,
  streamOf,
  whileOthersAreServed,
  word,
} from './support/hostile-client.ts'
import { framed } from './support/raw-call.ts'
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

const { data, headers, priority, ping, windowUpdate, continuation } = frameType
const { endStream, endHeaders } = frameFlag

let broker: GrpcBroker

beforeEach(async () => {
  broker = await startGrpcBroker()
})

afterEach(async () => {
  await broker[Symbol.asyncDispose]()
})

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
  ['DATA on a stream that never was', () => [preface, settings(3, 1), frame(data, 0, 9, goodMessage)]],
  ['DATA on the stream of the connection', () => [preface, settings(3, 1), frame(data, 0, 0, goodMessage)]],
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
]

describe('a connection is closed, and others are served, after', () => {
  test.each(ending)('%s', async (_, parts) => {
    await whileOthersAreServed(broker.grpcPort, async () => {
      using connection = new FrameConnection(broker.grpcPort)
      connection.write(...parts())
      await connection.closed()
      expectNothingAllowed(connection)
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
      frame(data, 0, 1, anonymousMessage),
      frame(headers, endStream | endHeaders, 1, fields({ 'grpc-status': '0' })),
    ],
  ],
  [
    'DATA after END_STREAM',
    () => [refusedCall(1), frame(data, 0, 1, goodMessage), frame(data, endStream, 1, goodMessage)],
  ],
  [
    'a prefix of 0xffffffff',
    () => [callHeaders(1), frame(data, 0, 1, framed(goodMessage, { length: 0xffffffff }))],
  ],
  [
    'a compressed message',
    () => [callHeaders(1), frame(data, endStream, 1, framed(goodMessage.subarray(5), { flag: 1 }))],
  ],
  [
    'frames without content',
    () => [
      callHeaders(1),
      repeated(5_000, () => frame(data, 0, 1)),
      frame(data, endStream, 1, anonymousMessage),
    ],
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
        () => [callHeaders(1, { 'grpc-timeout': timeout }), frame(data, endStream, 1, anonymousMessage)],
      ] as [string, () => readonly Buffer[]],
  ),
]

describe('nothing is allowed, and others are served, during', () => {
  test.each(surviving)('%s', async (_, parts) => {
    await whileOthersAreServed(broker.grpcPort, async () => {
      using connection = new FrameConnection(broker.grpcPort).open()
      connection.write(...parts())
      await allRead(connection)
      expectNothingAllowed(connection)
    })
  })
})
