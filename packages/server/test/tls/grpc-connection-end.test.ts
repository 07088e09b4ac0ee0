import { setImmediate as turn } from 'node:timers/promises'
import { createCertificateAuthority, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { readKeyPair } from '../../src/config/values/key-pair.ts'
import type { GrpcLimits } from '../../src/grpc/grpc-limits.ts'
import type { GrpcMethod } from '../../src/grpc/grpc-method.ts'
import { ListenerTls } from '../../src/tls/listener-tls.ts'
import { startGrpcServer } from '../grpc/support/grpc-server.ts'
import { call, checkPath, framed, openSession } from '../grpc/support/raw-call.ts'
import { startRecordingProxy } from '../grpc/support/recording-proxy.ts'

const authority = createCertificateAuthority()
const { cert, key } = authority.issue('127.0.0.1')
const empty = framed(Buffer.alloc(0))
const atOnce: GrpcMethod = { kind: 'unary', answer: () => empty }
const later: GrpcMethod = { kind: 'unary', answer: () => turn(empty) }

/** A server with TLS, and a proxy without it that counts what is on the way between both. */
async function startServer(method: GrpcMethod, limits: Partial<GrpcLimits> = {}) {
  await using stack = new AsyncDisposableStack()
  const pair = readKeyPair('cert', 'key', (path, _, parse) => parse(path === 'cert' ? cert : key))
  const tls = new ListenerTls({ pair, clientCa: undefined, clientNames: undefined }, 'h2', { add: () => {} })
  const server = stack.use(await startGrpcServer({ methods: { [checkPath]: method }, limits, tls }))
  const proxy = stack.use(await startRecordingProxy(server.port, authority.cert))
  const resources = stack.move()
  return { server, proxy, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Sends calls on one connection, some at a time, until it is told to stop. */
async function callUntilTold(port: number, atATime: number): Promise<void> {
  await using session = openSession(port)
  let isTold = false
  session.once('goaway', () => {
    isTold = true
  })
  const caller = async () => {
    while (!isTold && !session.closed && !session.destroyed) await call(session, empty)
  }
  await Promise.all(Array.from({ length: atATime }, caller))
}

describe.each([
  ['at once', atOnce],
  ['later', later],
])('with TLS and answers %s', (_, method) => {
  test.each([1, 8])('a connection that is old ends without losing one of %i calls at a time', async calls => {
    await using scene = await startServer(method, { maxConnectionAgeMs: 30 })
    const { frames, port } = scene.proxy
    for (let connections = 0; connections < 30; connections++) await callUntilTold(port, calls)
    expect(frames.calls).toBeGreaterThan(100)
    expect(frames).toMatchObject({ answers: frames.calls, resets: 0 })
  })

  test.each([1, 8])('a stop ends connections without losing one of %i calls at a time', async calls => {
    await using scene = await startServer(method)
    const { frames, port } = scene.proxy
    const callers = Array.from({ length: 8 }, () => callUntilTold(port, calls))
    await until(() => frames.answers > 200, 'some calls')
    expect(await scene.server.stop(4_000)).toBe(true)
    await Promise.all(callers)
    expect(frames).toMatchObject({ answers: frames.calls, resets: 0 })
  })
})
