import { request as requestTls } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ask, createCertificateAuthority, until } from '@broker/testing'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createAdminApp } from '../../src/admin/admin-app.ts'
import { createAdminListener } from '../../src/admin/admin-listener.ts'
import { readKeyPair } from '../../src/config/values/key-pair.ts'
import { ListenerTls } from '../../src/tls/listener-tls.ts'
import { orders, startBroker } from '../support/start-broker.ts'

const request = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'

function openConnection(port: number) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let closed = false
  socket.on('data', data => {
    received += data
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  return { socket, received: () => received, isClosed: () => closed }
}

describe('the admin listener', () => {
  test('answers many requests on a connection, one after the other', async () => {
    await using broker = await startBroker()
    const connection = openConnection(broker.server.adminAddress?.port ?? 0)
    for (let count = 1; count <= 20; count++) {
      connection.socket.write(request)
      const answers = () => connection.received().split('HTTP/1.1 200').length - 1
      await until(() => answers() === count && connection.received().endsWith('\n'), `answer ${count}`)
    }
    connection.socket.destroy()
  })

  test('ends a connection that pipelines, before its answers cost memory, and checks go on', async () => {
    await using broker = await startBroker()
    const before = process.memoryUsage().rss
    const connections = Array.from({ length: 30 }, () => {
      const connection = openConnection(broker.server.adminAddress?.port ?? 0)
      // Never reads its answers.
      connection.socket.pause()
      connection.socket.write(request.repeat(1_700))
      return connection
    })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    for (const { socket } of connections) socket.resume()
    await until(() => connections.every(({ isClosed }) => isClosed()), 'the end of the connections')
    // Without the bound this is more than a gigabyte.
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024)
  })

  const unfinished = {
    'say nothing': '',
    'begin a request': 'GET /healthz HTTP/1.1\r\nhost: x\r\n',
    'wait after an answer': 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n',
    'trickle a body in': 'PUT /log-level HTTP/1.1\r\nhost: localhost\r\ncontent-length: 30\r\n\r\n',
    'watch the status page': 'GET /status/events HTTP/1.1\r\nhost: localhost\r\n\r\n',
  }
  test.each(Object.entries(unfinished))('answers a probe beyond 64 connections that %s', async (_, text) => {
    await using broker = await startBroker()
    const port = broker.server.adminAddress?.port ?? 0
    const connections = Array.from({ length: 100 }, () => openConnection(port))
    for (const { socket } of connections) socket.write(text)
    const closed = () => connections.filter(({ isClosed }) => isClosed()).length
    await until(() => closed() === 36, '64 connections')
    expect((await ask(port, { target: '/healthz' })).status).toBe(200)
    for (const { socket } of connections) socket.destroy()
  })

  test('closes the connection that has been without a request for the longest time first', async () => {
    await using broker = await startBroker()
    const port = broker.server.adminAddress?.port ?? 0
    const watching = openConnection(port)
    watching.socket.write('GET /status/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until(() => watching.received().includes('retry: '), 'the open page')
    const idle = openConnection(port)
    await until(() => !idle.socket.connecting, 'the idle connection')
    const others = Array.from({ length: 63 }, () => openConnection(port))
    await until(idle.isClosed, 'the end of the idle connection')
    expect([watching, ...others].filter(({ isClosed }) => isClosed())).toEqual([])
    for (const { socket } of [watching, ...others]) socket.destroy()
  })
})

test('with TLS too, a probe is answered beyond 64 connections', async () => {
  const authority = createCertificateAuthority()
  const { cert, key } = authority.issue('127.0.0.1')
  const pair = readKeyPair('cert', 'key', (path, _, parse) => parse(path === 'cert' ? cert : key))
  const settings = { pair, clientCa: undefined, clientNames: undefined }
  const tls = new ListenerTls(settings, 'http/1.1', { add: () => {} })
  const app = createAdminApp({ notReadyBecause: () => undefined, registry: new Registry() })
  const server = createAdminListener(app, tls.createHttpServer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const trust = { host: '127.0.0.1', port, ca: authority.cert }
  let closed = 0
  const sockets = Array.from({ length: 80 }, () => {
    const socket = connectTls(trust)
    return socket
      .resume()
      .on('error', () => {})
      .on('close', () => closed++)
  })
  await until(() => closed === 16, '64 connections')
  const status = await new Promise<number | undefined>((resolve, reject) => {
    requestTls({ ...trust, path: '/healthz', agent: false }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .once('error', reject)
      .end()
  })
  expect(status).toBe(200)
  for (const socket of sockets) socket.destroy()
  server.close()
})
