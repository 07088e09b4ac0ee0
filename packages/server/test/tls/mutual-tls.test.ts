import { connect } from 'node:tls'
import { createCertificateAuthority, type TlsIdentity, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { certificateNames } from '../../src/tls/certificate-names.ts'
import { protocols, startTlsBroker, type TlsBroker } from './tls-broker.ts'

const refused = 'TLS connections refused'
const authority = createCertificateAuthority()
const ca = authority.cert
const envoy = 'spiffe://cluster.local/ns/envoy/sa/envoy'

describe.each(protocols)('mutual TLS over %s', protocol => {
  test('answers a caller with a certificate of the authority', async () => {
    await using broker = await startTlsBroker({ authority, mutual: true })
    expect(await broker.check(protocol, { ca, identity: authority.issue('envoy') })).toBe(200)
    // Without TLS_CLIENT_SANS no name is needed.
    expect(await broker.check(protocol, { ca, identity: authority.issueFor({}) })).toBe(200)
    expect(broker.lines(refused)).toEqual([])
  })

  test.each([
    ['no certificate', undefined, 'no_client_certificate', 'TLS_CLIENT_CA_FILE'],
    [
      'a certificate of an unknown authority',
      createCertificateAuthority('other').issue('envoy'),
      'client_certificate_not_trusted',
      'TLS_CLIENT_CA_FILE',
    ],
    [
      'a certificate of an authority with the same name',
      createCertificateAuthority().issue('envoy'),
      'client_certificate_not_trusted',
      'TLS_CLIENT_CA_FILE',
    ],
    [
      'an expired certificate',
      authority.issueFor({ hosts: ['envoy'], validTo: new Date('2024-01-01') }),
      'client_certificate_expired',
      'renew',
    ],
    [
      'a certificate of the future',
      authority.issueFor({ hosts: ['envoy'], validFrom: new Date('2048-01-01') }),
      'client_certificate_expired',
      'clock',
    ],
  ])('closes the connection of a caller with %s', async (_, identity, reason, hint) => {
    await using broker = await startTlsBroker({ authority, mutual: true })
    const caller = identity === undefined ? { ca } : { ca, identity }
    expect(await broker.check(protocol, caller)).toBe('closed')
    await until(() => broker.lines(refused).length > 0, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({ reason, hint: expect.stringContaining(hint) })
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })

  test('with names, answers a caller with one of them', async () => {
    const environment = { TLS_CLIENT_SANS: `${envoy}, Envoy.example.com` }
    await using broker = await startTlsBroker({ authority, mutual: true, environment })
    const identities = [
      authority.issueFor({ uris: [envoy] }),
      authority.issueFor({ hosts: ['other', 'envoy.example.com'] }),
      authority.issueFor({ hosts: ['ENVOY.example.com'] }),
    ]
    for (const identity of identities) expect(await broker.check(protocol, { ca, identity })).toBe(200)
  })

  test.each([
    ['another URI', { uris: [`${envoy}2`] }],
    ['a URI that begins with an allowed one', { uris: [`${envoy}/x`] }],
    ['another DNS name', { hosts: ['other.example.com'] }],
    ['a wildcard', { hosts: ['*.example.com'] }],
    ['a URI that looks like an allowed DNS name', { uris: ['envoy.example.com'] }],
    ['a DNS name that looks like an allowed URI', { hosts: [envoy] }],
    ['an allowed name within another one', { uris: [`spiffe://other, URI:${envoy}`] }],
    ['an allowed name as its common name only', { hosts: [] }],
  ])('with names, closes the connection of a caller with %s', async (_, names) => {
    const environment = { TLS_CLIENT_SANS: `${envoy},envoy.example.com,server` }
    await using broker = await startTlsBroker({ authority, mutual: true, environment })
    expect(await broker.check(protocol, { ca, identity: authority.issueFor(names) })).toBe('closed')
    await until(() => broker.lines(refused).length > 0, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({
      reason: 'client_name_not_allowed',
      hint: expect.stringContaining('TLS_CLIENT_SANS'),
    })
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'no %s session is resumed, so that a caller whose certificate has expired does not come back',
  async version => {
    await using broker = await startTlsBroker({ authority, mutual: true })
    const validTo = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000)
    const identity = authority.issueFor({ hosts: ['envoy'], validTo })
    const first = await connectAgain(broker, identity, version)
    expect(first.answer).toMatch(/^HTTP\/1\.1 200/)
    const second = await connectAgain(broker, identity, version, first.session)
    expect(second).toMatchObject({ isResumed: false, answer: expect.stringMatching(/^HTTP\/1\.1 200/) })
    await until(() => Date.now() > validTo.getTime() + 1_000, 'the end of the certificate')
    const last = await connectAgain(broker, identity, version, second.session ?? first.session)
    expect(last).toMatchObject({ isResumed: false, answer: '' })
    await until(() => broker.lines(refused).length > 0, 'the line')
    expect(broker.lines(refused)[0]).toMatchObject({ reason: 'client_certificate_expired' })
  },
)

test('sessions are resumed where callers show no certificate', async () => {
  await using broker = await startTlsBroker({ authority })
  const { session } = await connectAgain(broker, {}, 'TLSv1.3')
  expect(await connectAgain(broker, {}, 'TLSv1.3', session)).toMatchObject({ isResumed: true })
})

/** One request on a new connection of the session, if there is one. */
async function connectAgain(
  broker: TlsBroker,
  identity: Partial<TlsIdentity>,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
) {
  const versions = { minVersion: version, maxVersion: version }
  const options = { host: '127.0.0.1', port: broker.port('http'), ca, ...identity, ...versions }
  const socket = connect({ ...options, ...(session && { session }) })
  let given: Buffer | undefined
  let answer = ''
  let isResumed = false
  socket.on('error', () => {})
  socket.on('session', each => {
    given = each
  })
  socket.on('data', data => {
    answer += data
  })
  socket.once('secureConnect', () => {
    isResumed = socket.isSessionReused()
  })
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await new Promise(resolve => socket.once('close', resolve))
  return { answer, isResumed, session: given }
}

test('names are read from the text of Node, quoted ones too', () => {
  expect(certificateNames(undefined)).toEqual([])
  expect(certificateNames('DNS:A.example, IP Address:127.0.0.1, URI:spiffe://a/b')).toEqual([
    'a.example',
    'spiffe://a/b',
  ])
  expect(certificateNames('URI:"spiffe://a, DNS:b", DNS:c')).toEqual(['spiffe://a, DNS:b', 'c'])
  expect(certificateNames('DNS:"a\\"", email:x@y')).toEqual(['a"'])
})
