import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createCertificateAuthority, until } from '@broker/testing'
import { expect, test } from 'vitest'
import type { RefusedHandshake } from '../../src/tls/handshake-log.ts'
import { ListenerTls } from '../../src/tls/listener-tls.ts'
import { startTlsBroker } from './tls-broker.ts'

/** The beginning of a handshake: a record that announces 512 bytes. */
const beginning = Buffer.from('16030102000100', 'hex')

test('a handshake that trickles in is cut off in time', async () => {
  const authority = createCertificateAuthority()
  const { cert, key } = authority.issue('127.0.0.1')
  const refused: RefusedHandshake[] = []
  const pair = {
    certificateFile: '',
    keyFile: '',
    certificates: cert,
    key,
    subject: '',
    validFrom: 0,
    validTo: 0,
  }
  const settings = { pair, clientCa: undefined, clientNames: undefined }
  const tls = new ListenerTls(settings, 'http/1.1', { add: each => void refused.push(each) }, 300)
  const server = tls.createHttpServer({}, (_, response) => response.end())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  let isClosed = false
  socket.once('close', () => {
    isClosed = true
  })
  socket.resume()
  socket.write(beginning)
  const startedAt = performance.now()
  while (!isClosed && performance.now() - startedAt < 10_000) {
    socket.write(Buffer.from([0]))
    // real time: the pace of the caller
    await delay(20)
  }
  expect(isClosed).toBe(true)
  expect(refused).toEqual([{ reason: 'timeout', peer: '127.0.0.1' }])
  server.close()
})

test('a thousand handshakes that do not go on hold no check and no stop up', async () => {
  await using broker = await startTlsBroker()
  const { authority } = broker
  const sockets: Socket[] = []
  for (let index = 0; index < 1_000; index++) {
    const socket = connect(broker.port(index % 2 === 0 ? 'http' : 'grpc'), '127.0.0.1')
    socket.on('error', () => {})
    socket.once('connect', () => {
      if (index % 4 < 2) socket.write(beginning)
    })
    sockets.push(socket)
  }
  await until(() => sockets.every(({ connecting }) => !connecting), 'a thousand connections')
  for (const protocol of ['http', 'grpc'] as const) {
    expect(await broker.check(protocol, { ca: authority.cert })).toBe(200)
  }
  expect(await broker.server.close()).toBe(true)
  await until(() => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded), 'the end')
  for (const socket of sockets) socket.destroy()
})

test('handshakes that do not go on keep no other caller out, however many they are', async () => {
  await using broker = await startTlsBroker()
  const sockets: Socket[] = []
  for (let index = 0; index < 2_100; index++) {
    const socket = connect(broker.port('grpc'), '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    sockets.push(socket)
    // Slower than the backlog of the listener.
    if (index % 50 === 0) await once(socket, 'connect')
    // real time: the grace of a handshake is one second
    if (index === 1_050) await delay(1_100)
  }
  await until(() => sockets.every(({ connecting }) => !connecting), 'the connections')
  expect(await broker.check('grpc', { ca: broker.authority.cert })).toBe(200)
  const refused = 'tls_connections_refused_total{listener="grpc",reason="too_many_handshakes"}'
  expect(await broker.metric(refused)).toBeGreaterThan(0)
  for (const socket of sockets) socket.destroy()
})
