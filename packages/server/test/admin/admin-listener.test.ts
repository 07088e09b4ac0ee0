import { connect } from 'node:net'
import { ask, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
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

  test('has at most 64 connections, and answers again when they are gone', async () => {
    await using broker = await startBroker()
    const port = broker.server.adminAddress?.port ?? 0
    const connections = Array.from({ length: 64 }, () => openConnection(port))
    for (const { socket } of connections) socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await until(() => connections.every(({ received }) => received().includes(' 200 ')), '64 answers')
    const refused = openConnection(port)
    await until(refused.isClosed, 'the end of the connection beyond')
    expect(refused.received()).toBe('')
    for (const { socket } of connections) socket.destroy()
    await until(async () => {
      const answer = await ask(port, { target: '/healthz' }).catch(() => undefined)
      return answer?.status === 200
    }, 'an answer again')
  })
})
