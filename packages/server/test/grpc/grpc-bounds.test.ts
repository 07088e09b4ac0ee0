import { constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { until, within } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { GrpcFault } from '../../src/grpc/grpc-fault.ts'
import { grpcLimits } from '../../src/grpc/grpc-limits.ts'
import type { GrpcMethod } from '../../src/grpc/grpc-method.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import { answerOf, call, checkPath, framed, openCall, openSession } from './support/raw-call.ts'

const empty = framed(Buffer.alloc(0))
const echo: GrpcMethod = { kind: 'unary', answer: () => empty }
const quiet: GrpcMethod = { kind: 'streaming', onMessage: () => {}, onEnd: each => each.end() }
const watchPath = '/test.Quiet/Watch'
const methods = { [checkPath]: echo, [watchPath]: quiet }

/** The start of a message of 40,000 bytes. */
function half(bytes: number): Buffer {
  return framed(Buffer.alloc(bytes - 5), { length: 40_000 })
}

describe('connections', () => {
  test('above the limit are closed at once and counted, and the others are served', async () => {
    const faults: GrpcFault[] = []
    await using server = await startGrpcServer({
      methods,
      limits: { maxConnections: 5 },
      onFault: fault => faults.push(fault),
    })
    await using session = openSession(server.port)
    expect((await call(session, empty)).status).toBe('0')
    const sockets: Socket[] = []
    let closed = 0
    for (let index = 0; index < 500; index++) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {}).on('close', () => closed++)
      socket.resume()
      sockets.push(socket)
    }
    await until(() => closed === 496, 'the refusals')
    expect(faults.filter(fault => fault === 'connection_limit')).toHaveLength(496)
    expect((await call(session, empty)).status).toBe('0')
    for (const socket of sockets) socket.destroy()
    await until(() => closed === 500, 'the end of the others')
    await using next = openSession(server.port)
    expect((await call(next, empty)).status).toBe('0')
  })

  test('have the limit that a fleet of Envoys needs', () => {
    expect(grpcLimits.maxConnections).toBe(2_048)
  })
})

describe('incomplete messages', () => {
  test('above the limit of a connection fail their own call, and no other', async () => {
    await using server = await startGrpcServer({ methods, limits: { maxHeldBytesPerConnection: 50_000 } })
    await using session = openSession(server.port)
    const first = openCall(session)
    const answerOfFirst = answerOf(first)
    first.write(half(30_000))
    const second = openCall(session)
    second.write(half(30_000))
    expect(await answerOf(second)).toMatchObject({ status: '8', resetCode: constants.NGHTTP2_NO_ERROR })
    await using other = openSession(server.port)
    const elsewhere = openCall(other)
    elsewhere.write(half(30_000))
    first.end(Buffer.alloc(40_005 - 30_000))
    elsewhere.end(Buffer.alloc(40_005 - 30_000))
    expect((await answerOfFirst).status).toBe('0')
    expect((await answerOf(elsewhere)).status).toBe('0')
  })

  test('count whole messages whose call does not end', async () => {
    await using server = await startGrpcServer({ methods, limits: { maxHeldBytesPerConnection: 1_000 } })
    await using session = openSession(server.port)
    const calls = Array.from({ length: 20 }, () => {
      const stream = openCall(session)
      stream.write(framed(Buffer.alloc(95)))
      return stream
    })
    const answers = calls.map(answerOf)
    await until(() => calls.filter(({ closed }) => closed).length === 10, 'the refusals')
    for (const stream of calls) stream.end()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses.filter(status => status === '8')).toHaveLength(10)
    expect(statuses.filter(status => status === '0')).toHaveLength(10)
  })

  test('are forgotten when their call leaves', async () => {
    await using server = await startGrpcServer({ methods, limits: { maxHeldBytesPerConnection: 50_000 } })
    await using session = openSession(server.port)
    for (let index = 0; index < 10; index++) {
      const stream = openCall(session)
      stream.write(half(30_000))
      await call(session, empty)
      stream.close(constants.NGHTTP2_CANCEL)
      await within(new Promise(resolve => stream.once('close', resolve)), 'the end', 5_000)
    }
    expect((await call(session, framed(Buffer.alloc(40_000)))).status).toBe('0')
  })

  test('above the limit of all connections give way, the oldest first', async () => {
    await using server = await startGrpcServer({ methods, limits: { maxHeldBytes: 100_000 } })
    await using hostile = openSession(server.port)
    await using session = openSession(server.port)
    const calls = []
    for (let index = 0; index < 5; index++) {
      const stream = openCall(hostile)
      stream.write(half(17_000))
      calls.push(answerOf(stream))
    }
    expect((await call(hostile, empty)).status).toBe('0')
    const large = openCall(session)
    large.write(half(35_000))
    const answer = answerOf(large)
    expect((await Promise.race(calls)).status).toBe('8')
    large.end(Buffer.alloc(40_005 - 35_000))
    expect((await answer).status).toBe('0')
  })

  test('of a streaming call have as long as a first message', async () => {
    await using server = await startGrpcServer({ methods, limits: { receiveTimeoutMs: 50 } })
    await using session = openSession(server.port)
    const stream = openCall(session, { ':path': watchPath })
    stream.write(Buffer.concat([empty, half(1_000)]))
    expect(await answerOf(stream)).toMatchObject({
      status: '3',
      message: 'the message did not arrive in time',
    })
    const complete = openCall(session, { ':path': watchPath })
    complete.write(empty)
    const silent = openCall(session)
    await answerOf(silent)
    expect(complete.closed).toBe(false)
  })
})

describe('calls that wait for their caller', () => {
  test('above the limit give way, the oldest first, and a call with its message is served', async () => {
    await using server = await startGrpcServer({ methods, limits: { maxWaitingCalls: 20 } })
    await using hostile = openSession(server.port)
    const answers = Array.from({ length: 30 }, () => answerOf(openCall(hostile)))
    expect((await Promise.all(answers.slice(0, 10))).map(({ status }) => status)).toEqual(Array(10).fill('8'))
    await using session = openSession(server.port)
    for (let index = 0; index < 50; index++) expect((await call(session, empty)).status).toBe('0')
  })

  test('are let go when the answer is not read in time, with their connection', async () => {
    const faults: GrpcFault[] = []
    await using server = await startGrpcServer({
      methods,
      limits: { receiveTimeoutMs: 100, maxConnectionAgeGraceMs: () => 100 },
      onFault: fault => faults.push(fault),
    })
    await using session = openSession(server.port)
    await using other = openSession(server.port)
    await new Promise<void>(resolve => session.settings({ initialWindowSize: 0 }, () => resolve()))
    const stream = openCall(session)
    stream.end(empty)
    expect((await answerOf(stream)).resetCode).toBe(constants.NGHTTP2_CANCEL)
    await until(() => session.closed || session.destroyed, 'the end of the connection')
    expect(faults).toEqual(['unread'])
    expect((await call(other, empty)).status).toBe('0')
  })
})

describe('streaming calls', () => {
  test('above the limit of a connection are refused, and checks are not', async () => {
    await using server = await startGrpcServer({ methods })
    await using session = openSession(server.port)
    const open = Array.from({ length: grpcLimits.maxStreamingCallsPerConnection }, () =>
      openCall(session, { ':path': watchPath }),
    )
    expect((await answerOf(openCall(session, { ':path': watchPath }))).status).toBe('8')
    expect((await call(session, empty)).status).toBe('0')
    const [first] = open.map(answerOf)
    open[0]?.end()
    await first
    expect((await call(session, empty, { ':path': watchPath })).status).toBe('0')
  })

  test('that leave messages unread are cut off', async () => {
    const chatty: GrpcMethod = {
      kind: 'streaming',
      onMessage: (_, each) => each.send(framed(Buffer.alloc(100))),
      onEnd: each => each.end(),
    }
    await using server = await startGrpcServer({
      methods: { [watchPath]: chatty },
      limits: { receiveTimeoutMs: 50 },
    })
    await using session = openSession(server.port)
    await new Promise<void>(resolve => session.settings({ initialWindowSize: 0 }, () => resolve()))
    const stream = openCall(session, { ':path': watchPath })
    stream.write(empty)
    expect((await answerOf(stream)).resetCode).toBe(constants.NGHTTP2_CANCEL)
  })
})
