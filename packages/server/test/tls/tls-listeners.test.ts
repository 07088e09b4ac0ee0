import { once } from 'node:events'
import { connect } from 'node:tls'
import { createCertificateAuthority, RawConnection, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { handshakeFailureOf } from '../../src/tls/handshake-failure.ts'
import { orders, startBroker } from '../support/start-broker.ts'
import { handshake, protocols, startTlsBroker } from './tls-broker.ts'

const refused = 'TLS connections refused'
const alpn = { http: 'http/1.1', grpc: 'h2' } as const
const listener = { http: 'check', grpc: 'grpc' } as const

describe.each(protocols)('a listener with TLS over %s', protocol => {
  test('answers a caller that trusts its authority', async () => {
    await using broker = await startTlsBroker()
    expect(await broker.check(protocol, { ca: broker.authority.cert })).toBe(200)
    expect(broker.lines(refused)).toEqual([])
  })

  test.each([
    ['TLSv1', 'version'],
    ['TLSv1.1', 'version'],
  ] as const)('refuses %s', async (version, reason) => {
    await using broker = await startTlsBroker()
    const options = {
      rejectUnauthorized: false,
      ALPNProtocols: [alpn[protocol]],
      minVersion: version,
      maxVersion: version,
      // Old versions need it for their signatures.
      ciphers: 'DEFAULT@SECLEVEL=0',
    }
    expect(await handshake(broker.port(protocol), options)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
    await until(() => broker.lines(refused).length === 1, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({ reason })
    for (const current of ['TLSv1.2', 'TLSv1.3'] as const) {
      const outcome = await handshake(broker.port(protocol), {
        ...options,
        minVersion: current,
        maxVersion: current,
      })
      expect(outcome).toBe(current)
    }
  })

  test('refuses a caller that offers another application protocol', async () => {
    await using broker = await startTlsBroker()
    const other = protocol === 'http' ? 'h2' : 'http/1.1'
    const options = { rejectUnauthorized: false, ALPNProtocols: [other] }
    expect(await handshake(broker.port(protocol), options)).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    )
    await until(() => broker.lines(refused).length === 1, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({ reason: 'protocol' })
  })

  test('closes plain HTTP at once, with a hint', async () => {
    await using broker = await startTlsBroker()
    await using plain = await RawConnection.open(broker.port(protocol))
    plain.send({ target: '/check' })
    await plain.closed(2_000)
    expect(plain.rest).not.toContain('HTTP/1.1 200')
    await until(() => broker.lines(refused).length === 1, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({
      reason: 'no_tls',
      hint: expect.stringContaining('transport_socket'),
    })
    expect(
      await broker.metric(`tls_connections_refused_total{listener="${listener[protocol]}",reason="no_tls"}`),
    ).toBe(1)
  })

  test('logs nothing of a probe that opens a connection and leaves', async () => {
    await using broker = await startTlsBroker()
    await using probe = await RawConnection.open(broker.port(protocol))
    probe.reset()
    await broker.check(protocol, { ca: broker.authority.cert })
    expect(broker.lines(refused)).toEqual([])
  })
})

test('a plain listener tells once that a caller speaks TLS to it', async () => {
  await using broker = await startBroker()
  for (let count = 0; count < 3; count++) expect(await handshake(broker.port, {})).not.toMatch(/^TLS/)
  expect((await broker.check({ headers: orders })).status).toBe(200)
  await using garbage = await RawConnection.open(broker.port)
  garbage.write('garbage\r\n\r\n')
  await garbage.answer()
  expect(broker.log.filter(({ level }) => level >= 40)).toMatchObject([
    {
      msg: 'caller speaks TLS to a listener without TLS',
      hint: expect.stringContaining('TLS_CERT_FILE'),
    },
  ])
})

test('the listener over gRPC refuses a caller without an application protocol', async () => {
  await using broker = await startTlsBroker()
  const socket = connect({ host: '127.0.0.1', port: broker.port('grpc'), ca: broker.authority.cert })
  socket.on('error', () => {})
  let received = ''
  socket.on('data', data => {
    received += data
  })
  await once(socket, 'close')
  expect(received).toBe('')
  await until(() => broker.lines(refused).length === 1, 'the line')
  expect(broker.lines(refused)[0]).toMatchObject({ reason: 'protocol' })
})

test('a listener with TLS does not renegotiate', async () => {
  await using broker = await startTlsBroker()
  const socket = connect({
    host: '127.0.0.1',
    port: broker.port('http'),
    ca: broker.authority.cert,
    ALPNProtocols: ['http/1.1'],
    maxVersion: 'TLSv1.2',
  })
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  const outcome = await new Promise<string>(resolve => {
    socket.once('close', () => resolve('closed'))
    socket.renegotiate({}, error => resolve(error === null ? 'renegotiated' : 'refused'))
  })
  expect(outcome).not.toBe('renegotiated')
  socket.destroy()
})

test('one line in ten seconds tells of equal refusals, and the metric counts all', async () => {
  await using broker = await startTlsBroker()
  for (let index = 0; index < 5; index++) {
    await using plain = await RawConnection.open(broker.port('http'))
    plain.send({})
    await plain.closed(2_000)
  }
  await until(
    async () =>
      (await broker.metric('tls_connections_refused_total{listener="check",reason="no_tls"}')) === 5,
    'five refusals',
  )
  expect(broker.lines(refused)).toHaveLength(1)
})

test('the probe answers over TLS, and the admin listener stays plain', async () => {
  await using broker = await startTlsBroker()
  await using plain = await RawConnection.open(broker.server.adminAddress?.port ?? 0)
  plain.send({ target: '/healthz' })
  expect((await plain.answer()).status).toBe(200)
  const socket = connect({ host: '127.0.0.1', port: broker.port('http'), rejectUnauthorized: false })
  socket.end('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const [answer] = await once(socket.setEncoding('utf8'), 'data')
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('the admin listener speaks TLS with a certificate for it', async () => {
  const authority = createCertificateAuthority()
  await using broker = await startTlsBroker({ authority })
  const { volume } = broker
  await using other = await startTlsBroker({
    authority,
    environment: {
      ADMIN_TLS_CERT_FILE: volume.file('tls.crt'),
      ADMIN_TLS_KEY_FILE: volume.file('tls.key'),
      ADMIN_TLS_CLIENT_CA_FILE: volume.file('ca.crt'),
    },
  })
  const port = other.server.adminAddress?.port ?? 0
  const ask = (identity?: { cert: string; key: string }) =>
    new Promise<string>(resolve => {
      const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...identity })
      let text = ''
      socket.on('error', () => {})
      socket.on('data', data => {
        text += data
      })
      socket.once('close', () => resolve(text))
      socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    })
  expect(await ask(authority.issue('prometheus'))).toMatch(/^HTTP\/1\.1 200 /)
  expect(await ask()).toBe('')
  await until(() => other.lines(refused).length > 0, 'the line')
  expect(other.lines(refused)[0]).toMatchObject({
    listener: 'admin',
    reason: 'no_client_certificate',
    hint: expect.stringContaining('ADMIN_TLS_CLIENT_CA_FILE'),
  })
})

test('the alert of a caller that does not accept the certificate has a reason of its own', () => {
  expect(handshakeFailureOf('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')).toBe('server_certificate_refused')
  expect(handshakeFailureOf('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED')).toBe('server_certificate_refused')
  expect(handshakeFailureOf('ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN')).toBe('server_certificate_refused')
  expect(handshakeFailureOf('ERR_SSL_UNEXPECTED_MESSAGE')).toBe('other')
  expect(handshakeFailureOf('ECONNRESET')).toBe(undefined)
})
