import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import { createCertificateAuthority } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import { protocols, shownCertificate, startTlsBroker } from './tls-broker.ts'

const alpn = { http: 'http/1.1', grpc: 'h2' } as const
const faulty = 'configuration files have faults; their last good content stays in effect'
const authority = createCertificateAuthority()
const ca = authority.cert
const issue = () => authority.issue('127.0.0.1', 'localhost')

describe.each(protocols)('a changed certificate over %s', protocol => {
  test('is shown to new connections', async () => {
    await using broker = await startTlsBroker({ authority })
    for (let round = 0; round < 3; round++) {
      const { cert, key } = issue()
      await broker.swap({ 'tls.crt': cert, 'tls.key': key })
      expect(await shownCertificate(broker.port(protocol), alpn[protocol])).toBe(cert)
      expect(await broker.check(protocol, { ca })).toBe(200)
    }
    expect(broker.lines(faulty)).toEqual([])
  })

  test('whose key is not there yet waits for it, with one line', async () => {
    const first = issue()
    await using broker = await startTlsBroker({
      authority,
      files: { 'tls.crt': first.cert, 'tls.key': first.key },
    })
    const next = issue()
    await broker.swap({ 'tls.crt': next.cert })
    await broker.swap({})
    expect(await shownCertificate(broker.port(protocol), alpn[protocol])).toBe(first.cert)
    expect(broker.lines(faulty)).toHaveLength(1)
    expect(JSON.stringify(broker.lines(faulty)[0])).toContain('is not the key of the certificate')
    expect(await broker.metric('config_faults')).toBe(1)
    await broker.swap({ 'tls.key': next.key })
    expect(await shownCertificate(broker.port(protocol), alpn[protocol])).toBe(next.cert)
    expect(await broker.metric('config_faults')).toBe(0)
  })

  test.each([
    ['an empty certificate', { 'tls.crt': '' }],
    ['garbage for a key', { 'tls.key': 'garbage' }],
    ['an empty client CA', { 'ca.crt': '' }],
  ])('with %s leaves what is in effect', async (_, files) => {
    await using broker = await startTlsBroker({ authority, mutual: true })
    await broker.swap(files)
    expect(broker.lines(faulty)).toHaveLength(1)
    expect(await broker.check(protocol, { ca, identity: issue() })).toBe(200)
    expect(await broker.check(protocol, { ca })).toBe('closed')
  })

  test('with another client CA refuses the callers of the old one', async () => {
    await using broker = await startTlsBroker({ authority, mutual: true })
    const other = createCertificateAuthority('other')
    const [old, next] = [authority.issue('envoy'), other.issue('envoy')]
    expect(await broker.check(protocol, { ca, identity: old })).toBe(200)
    await broker.swap({ 'ca.crt': other.cert })
    expect(await broker.check(protocol, { ca, identity: next })).toBe(200)
    expect(await broker.check(protocol, { ca, identity: old })).toBe('closed')
    await broker.swap({ 'ca.crt': other.cert + ca })
    expect(await broker.check(protocol, { ca, identity: old })).toBe(200)
    // Every option is given again: TLS 1.1 and callers without a certificate stay refused.
    expect(await broker.check(protocol, { ca })).toBe('closed')
  })
})

test('a connection goes on when the certificate changes', async () => {
  await using broker = await startTlsBroker({ authority })
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
  const check = () =>
    new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: broker.port('http'), path: '/check', headers: orders, agent }
      request(options, answer => {
        const { localPort } = answer.socket
        answer.resume().once('end', () => resolve(`${answer.statusCode} ${localPort}`))
      })
        .once('error', reject)
        .end()
    })
  const first = await check()
  const { cert, key } = issue()
  await broker.swap({ 'tls.crt': cert, 'tls.key': key })
  expect(await check()).toBe(first)
  agent.destroy()
})

test('a session of before a change is not resumed', async () => {
  await using broker = await startTlsBroker({ authority })
  const isResumed = async (session?: Buffer) => {
    const socket = connect({
      host: '127.0.0.1',
      port: broker.port('http'),
      ca,
      maxVersion: 'TLSv1.2',
      ...(session && { session }),
    })
    await once(socket, 'secureConnect')
    const facts = { reused: socket.isSessionReused(), session: socket.getSession() }
    socket.destroy()
    return facts
  }
  const before = await isResumed()
  expect((await isResumed(before.session)).reused).toBe(true)
  const { cert, key } = issue()
  await broker.swap({ 'tls.crt': cert, 'tls.key': key })
  expect((await isResumed(before.session)).reused).toBe(false)
})

test('the metric and the log tell when the certificate in use ends', async () => {
  const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3 * 86_400_000)
  const pair = authority.issueFor({ hosts: ['127.0.0.1'], validTo: soon })
  await using broker = await startTlsBroker({
    authority,
    files: { 'tls.crt': pair.cert, 'tls.key': pair.key },
  })
  const seconds = (listener: string) =>
    broker.metric(`tls_certificate_not_after_seconds{listener="${listener}"}`)
  expect([await seconds('check'), await seconds('grpc'), await seconds('admin')]).toEqual([
    soon.getTime() / 1000,
    soon.getTime() / 1000,
    undefined,
  ])
  const sentence = `The certificate in TLS_CERT_FILE expires at ${soon.toISOString().replace('.000', '')}. Renew it before that.`
  expect(broker.lines(sentence)).toHaveLength(1)
  const { cert, key } = issue()
  await broker.swap({ 'tls.crt': cert, 'tls.key': key })
  expect(await seconds('check')).toBe(Date.parse('2049-01-01') / 1000)
})
