import { constants } from 'node:http2'
import { until } from '@broker/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type GrpcBroker, startGrpcBroker } from './support/grpc-broker.ts'
import {
  expectNothingAllowed,
  goodMessage,
  refusedCall,
  repeated,
  streamOf,
  whileOthersAreServed,
  word,
} from './support/hostile-client.ts'
import { call, openSession } from './support/raw-call.ts'
import { callHeaders, FrameConnection, frame, frameType, settings } from './support/raw-frames.ts'

const { data, headers, reset, ping } = frameType

let broker: GrpcBroker

beforeEach(async () => {
  broker = await startGrpcBroker()
})

afterEach(async () => {
  await broker[Symbol.asyncDispose]()
})

describe('nothing is allowed, and others are served, during', () => {
  test('answers that a window of 0 holds back: 1,000 on a connection at most', async () => {
    await whileOthersAreServed(broker.grpcPort, async () => {
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
    await whileOthersAreServed(broker.grpcPort, async () => {
      using connection = new FrameConnection(broker.grpcPort).open()
      connection.socket.pause()
      for (let index = 0; index < 20 && connection.socket.writable; index++) {
        connection.write(repeated(1_000, each => refusedCall(streamOf(1_000 * index + each))))
        await new Promise(resolve => setImmediate(resolve))
      }
      await using session = openSession(broker.grpcPort)
      expect((await call(session, goodMessage)).status).toBe('0')
    })
  })

  test('2,000 connections that say nothing, and 500 that vanish halfway', async () => {
    await whileOthersAreServed(broker.grpcPort, async () => {
      const connections = Array.from({ length: 2_500 }, () => new FrameConnection(broker.grpcPort))
      await until(() => connections.every(({ socket, isClosed }) => isClosed || !socket.connecting), 'all')
      for (const { socket } of connections.slice(0, 500)) socket.resetAndDestroy()
      for (const connection of connections) connection[Symbol.dispose]()
    })
  }, 60_000)

  test('5,000 connections above the limit', async () => {
    await whileOthersAreServed(broker.grpcPort, async () => {
      const held: FrameConnection[] = []
      // In parts, because the queue of the system for new connections is shorter.
      while (!held.some(({ isClosed }) => isClosed)) {
        const next = Array.from({ length: 100 }, () => new FrameConnection(broker.grpcPort).open())
        await until(() => next.every(each => each.isClosed || each.bytes.length > 0), 'the settings')
        held.push(...next)
      }
      for (let round = 0; round < 20; round++) {
        const refused = Array.from({ length: 250 }, () => new FrameConnection(broker.grpcPort))
        await Promise.all(refused.map(each => each.closed()))
      }
      for (const connection of held) connection[Symbol.dispose]()
    })
    const { body } = await broker.admin('/metrics')
    expect(Number(/reason="connection_limit"} (\d+)/.exec(body)?.[1])).toBeGreaterThanOrEqual(5_000)
  }, 120_000)
})

test('10,000 calls that their client resets hold no other connection up, and many more end theirs', async () => {
  await whileOthersAreServed(broker.grpcPort, async () => {
    await using session = openSession(broker.grpcPort)
    using connection = new FrameConnection(broker.grpcPort).open()
    let calls = 0
    const resetMore = async () => {
      connection.write(
        repeated(990, each => {
          const stream = streamOf(calls + each)
          return Buffer.concat([callHeaders(stream), frame(reset, 0, stream, word(constants.NGHTTP2_CANCEL))])
        }),
      )
      calls += 990
      expect((await call(session, goodMessage)).status).toBe('0')
    }
    while (calls < 9_900) await resetMore()
    // So far it is within what a proxy may do, and the connection serves.
    connection.write(refusedCall(streamOf(calls)))
    await until(() => connection.frames.some(({ stream }) => stream === streamOf(calls)), 'an answer')
    expectNothingAllowed(connection)
    calls += 1
    while (!connection.isClosed) await resetMore()
  })
}, 60_000)
