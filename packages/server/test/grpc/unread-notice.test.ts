import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@broker/testing'
import { expect, test } from 'vitest'
import type { GrpcLimits } from '../../src/grpc/grpc-limits.ts'
import type { GrpcMethod } from '../../src/grpc/grpc-method.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import { repeated, streamOf, word } from './support/hostile-client.ts'
import { call, checkPath, framed, openSession } from './support/raw-call.ts'
import { callHeaders, FrameConnection, frame, frameFlag, frameType, settings } from './support/raw-frames.ts'

const { data, goaway, windowUpdate } = frameType
const calls = 40
const large = framed(Buffer.alloc(300_000, 7))
const empty = framed(Buffer.alloc(0))
const smallPath = '/test.Small/Get'
const methods: Readonly<Record<string, GrpcMethod>> = {
  [checkPath]: { kind: 'unary', answer: () => large },
  [smallPath]: { kind: 'unary', answer: () => empty },
}

/** Starts a server, and asks for more than the system keeps for a caller that reads nothing. */
async function unreadAnswers(limits: Partial<GrpcLimits>) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(
    await startGrpcServer({ methods, limits: { maxConnectionAgeGraceMs: () => 20_000, ...limits } }),
  )
  const connection = stack.use(new FrameConnection(server.port))
  connection.open(settings(4, 4_000_000))
  connection.write(frame(windowUpdate, 0, 0, word(100_000_000)))
  connection.socket.pause()
  connection.write(
    repeated(calls, index =>
      Buffer.concat([callHeaders(streamOf(index)), frame(data, frameFlag.endStream, streamOf(index), empty)]),
    ),
  )
  const resources = stack.move()
  return { server, connection, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function expectServed(port: number): Promise<void> {
  await using session = openSession(port)
  expect((await call(session, empty, { ':path': smallPath })).status).toBe('0')
}

// Node aborts the process when a write past its HTTP/2 session has to wait for room.
test.each([50, 200])(
  'a connection that ends after %i ms, whose caller reads late, gives whole answers between whole frames',
  async maxConnectionAgeMs => {
    await using scene = await unreadAnswers({ maxConnectionAgeMs })
    const { connection, server } = scene
    // real time: the age of a connection is measured by Node's timers.
    await delay(2 * maxConnectionAgeMs)
    connection.socket.resume()
    const bytes = () =>
      connection.frames
        .filter(({ type }) => type === data)
        .reduce((sum, { payload }) => sum + payload.length, 0)
    const told = () => connection.frames.some(({ type }) => type === goaway)
    await until(
      () =>
        connection.isClosed ||
        (connection.bytes.length > calls * large.length && told() && bytes() === calls * large.length),
      'all answers',
      15_000,
    )
    expect({ bytes: bytes(), told: told() }).toEqual({ bytes: calls * large.length, told: true })
    for (const { type } of connection.frames) expect(type).toBeLessThan(10)
    await expectServed(server.port)
  },
)

test('a caller that reads no answer, and much later every answer, ends nothing but its own connection', async () => {
  await using scene = await unreadAnswers({ receiveTimeoutMs: 100 })
  const { connection, server } = scene
  // real time: the calls are cut off by Node's timers.
  await delay(500)
  connection.socket.resume()
  await expectServed(server.port)
  await connection.closed()
  await expectServed(server.port)
})
