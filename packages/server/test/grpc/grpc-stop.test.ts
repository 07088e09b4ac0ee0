import { until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.ts'
import { orders, startDex } from '../support/start-broker.ts'
import { checkRequest, EnvoyClient, encodeRequest } from './support/envoy-client.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import { answerOf, call, checkPath, framed, openCall, openSession } from './support/raw-call.ts'
import { startRecordingProxy } from './support/recording-proxy.ts'

const good = framed(encodeRequest(checkRequest({ headers: orders })))
const empty = framed(Buffer.alloc(0))

/** Sends calls on one connection, one after another, until it is told to stop. */
async function callUntilTold(port: number): Promise<void> {
  await using session = openSession(port)
  let isTold = false
  session.once('goaway', () => {
    isTold = true
  })
  while (!isTold && !session.closed && !session.destroyed) await call(session, good)
}

describe('a connection that is old', () => {
  const echo = { [checkPath]: { kind: 'unary', answer: () => empty } } as const

  test('is replaced without losing a call', async () => {
    await using server = await startGrpcServer({ methods: echo, limits: { maxConnectionAgeMs: 30 } })
    await using proxy = await startRecordingProxy(server.port)
    for (let connections = 0; connections < 20; connections++) await callUntilTold(proxy.port)
    expect(proxy.frames.calls).toBeGreaterThan(20)
    expect(proxy.frames).toMatchObject({ answers: proxy.frames.calls, resets: 0 })
  })

  test('serves a call that was on its way when its caller was told', async () => {
    let calls = 0
    await using server = await startGrpcServer({
      methods: {
        [checkPath]: {
          kind: 'unary',
          answer: () => {
            calls++
            return empty
          },
        },
      },
      limits: { maxConnectionAgeMs: 50 },
    })
    await using session = openSession(server.port)
    // Node's client accepts no new call after a GOAWAY, so this one starts before, and is sent after it.
    const stream = openCall(session)
    await new Promise(resolve => session.once('goaway', resolve))
    const answer = answerOf(stream)
    stream.end(good)
    expect((await answer).status).toBe('0')
    expect(calls).toBe(1)
  })

  test('lets a running call finish within the grace, and cuts it off after that', async () => {
    const finish: (() => void)[] = []
    const methods = {
      [checkPath]: {
        kind: 'unary',
        answer: () => new Promise<Buffer>(resolve => finish.push(() => resolve(empty))),
      },
    } as const
    await using patient = await startGrpcServer({ methods, limits: { maxConnectionAgeMs: 20 } })
    await using first = openSession(patient.port)
    const running = answerOf(openCall(first).end(good))
    await new Promise(resolve => first.once('goaway', resolve))
    for (const each of finish) each()
    expect((await running).status).toBe('0')

    await using strict = await startGrpcServer({
      methods,
      limits: { maxConnectionAgeMs: 20, maxConnectionAgeGraceMs: () => 50 },
    })
    await using second = openSession(strict.port)
    expect((await answerOf(openCall(second).end(good))).status).toBeUndefined()
  })

  test('that is idle for long is closed', async () => {
    await using server = await startGrpcServer({ methods: echo, limits: { idleTimeoutMs: 30 } })
    await using session = openSession(server.port)
    expect((await call(session, good)).status).toBe('0')
    await until(() => session.closed || session.destroyed, 'the end of the connection')
  })
})

describe('a stop', () => {
  test('loses no check of callers that go on with their connections', async () => {
    await using broker = await startGrpcBroker({ SHUTDOWN_TIMEOUT: '4s' })
    await using proxy = await startRecordingProxy(broker.grpcPort)
    const callers = Array.from({ length: 8 }, () => callUntilTold(proxy.port))
    await until(() => proxy.frames.answers > 100, 'some checks')
    expect(await broker.server.close()).toBe(true)
    await Promise.all(callers)
    expect(proxy.frames).toMatchObject({ answers: proxy.frames.calls, resets: 0 })
  })

  test('lets a check finish that waits for Dex, and cuts it off at the deadline', async () => {
    for (const [delayMs, expected] of [
      [300, true],
      [5_000, false],
    ] as const) {
      await using broker = await startGrpcBroker({ SHUTDOWN_TIMEOUT: '1200ms' })
      broker.dex.setFault('token', { kind: 'slow', delayMs })
      await using session = openSession(broker.grpcPort)
      const answer = answerOf(openCall(session).end(good))
      await until(() => broker.dex.counts.tokenRequests === 1, 'the token request')
      expect(await broker.server.close()).toBe(expected)
      expect((await answer).status).toBe(expected ? '0' : undefined)
    }
  })

  test('closes idle connections, and those that ended their side', async () => {
    await using server = await startGrpcServer({})
    await using idle = openSession(server.port)
    await new Promise(resolve => idle.once('connect', resolve))
    expect(await server.stop(2_000)).toBe(true)
  })

  test('by SIGTERM ends the process with 0, and every check of a busy client is answered', async () => {
    await using dex = await startDex()
    await using command = runCommand([], {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      GRPC_LISTEN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
    })
    await command.listening()
    const port = Number(/"grpc":"127\.0\.0\.1:(\d+)"/.exec(command.stdout)?.[1])
    await using envoy = new EnvoyClient(port)
    await envoy.check({ headers: orders })
    await using proxy = await startRecordingProxy(port)
    const callers = Array.from({ length: 4 }, () => callUntilTold(proxy.port))
    await until(() => proxy.frames.answers > 10, 'some checks')
    command.kill('SIGTERM')
    await Promise.all(callers)
    expect(await command.end()).toEqual({ code: 0, signal: null })
    expect(proxy.frames).toMatchObject({ answers: proxy.frames.calls, resets: 0 })
    expect(command.stdout).not.toContain('cut off')
  })
})

test('an address in use stops the start, with the variable in the message', async () => {
  await using server = await startGrpcServer({})
  await expect(startGrpcBroker({ GRPC_LISTEN_ADDR: `127.0.0.1:${server.port}` })).rejects.toThrow(
    /GRPC_LISTEN_ADDR/,
  )
})
