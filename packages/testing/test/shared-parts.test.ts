import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { ask, freePort, listeningPorts, ManagedProcess, startRecordingServer, until } from '../src/index.ts'

test('the ports of a broker are read from either form of its log, and from no other line', () => {
  const json = '{"level":30,"check":"127.0.0.1:8080","admin":"[::]:8081","msg":"listening"}\n'
  expect(listeningPorts(`{"msg":"starting"}\n${json}`)).toEqual({ port: 8080, adminPort: 8081 })
  expect(listeningPorts('INFO: listening {"check":"0.0.0.0:1","admin":"off"}')).toEqual({
    port: 1,
    adminPort: 0,
  })
  expect(listeningPorts('{"check":"[::]:1","grpc":"[::]:2","admin":"off","msg":"listening"}')).toEqual({
    port: 1,
    adminPort: 0,
    grpcPort: 2,
  })
  expect(listeningPorts('{"msg":"starting"}')).toBeUndefined()
  expect(listeningPorts('{"check":"127.0.0.1:8080","admin":"127.0')).toBeUndefined()
})

test('nobody listens on a free port', async () => {
  const socket = connect(await freePort(), '127.0.0.1')
  const refused = await new Promise<NodeJS.ErrnoException>(resolve => socket.once('error', resolve))
  expect(refused.code).toBe('ECONNREFUSED')
})

test('a preferred port is taken unless somebody listens on it', async () => {
  const free = await freePort()
  expect(await freePort(free)).toBe(free)
  await using server = await startRecordingServer()
  expect(await freePort(server.port)).not.toBe(server.port)
})

test('a raw request arrives as it was written, line by line', async () => {
  await using server = await startRecordingServer()
  const headers = [
    ['X-Twice', 'a'],
    ['x-twice', 'b'],
  ] as const
  expect(await ask(server.port, { target: '/a/../b', headers, body: 'text' })).toMatchObject({ status: 200 })
  expect(server.requests).toMatchObject([
    { path: '/a/../b', lines: ['Host', 'X-Twice', 'x-twice', 'Content-Length'], body: 'text' },
  ])
})

test('a managed process is waited for, tells its log, and is ended with its scope', async () => {
  const script = 'require("node:net").createServer().listen(0, () => console.log("ready"))'
  const child = new ManagedProcess('a child', process.execPath, ['-e', script])
  expect(await child.until('it was ready', () => (child.log.includes('ready') ? 'yes' : undefined))).toBe(
    'yes',
  )
  await child[Symbol.asyncDispose]()
  expect([child.hasEnded, await child.ended()]).toEqual([true, 'SIGTERM'])
  const failing = new ManagedProcess('a child', process.execPath, [
    '-e',
    'console.error("why"); process.exit(3)',
  ])
  await expect(failing.until('it was ready', () => undefined)).rejects.toThrow(
    /ended before it was ready:\nwhy/,
  )
})

test('what never comes true ends the wait with what was waited for', async () => {
  await expect(until(() => false, 'a miracle', 20)).rejects.toThrow('a miracle: not within 20 ms')
})
