import { generateKeyPairSync } from 'node:crypto'
import { createCertificateAuthority, MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { certificateWarnings } from '../../src/tls/certificate-warning.ts'
import { CertificateWatch } from '../../src/tls/certificate-watch.ts'
import { faultsOf } from '../config/faults-of.ts'

const authority = createCertificateAuthority()
const pair = authority.issue('127.0.0.1')
const other = authority.issue('127.0.0.1')
const encrypted = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
}).privateKey

function faultsWith(files: { cert?: string; key?: string }): readonly string[] {
  using volume = new MountedVolume({ cert: pair.cert, key: pair.key, ...files })
  const environment = { TLS_CERT_FILE: volume.file('cert'), TLS_KEY_FILE: volume.file('key') }
  return faultsOf(environment).map(fault => fault.replaceAll(`${volume.folder}/`, ''))
}

test('a certificate has the name of its subject, and without one its subject alternative names', () => {
  const subjectOf = (parts: Parameters<typeof authority.issueFor>[0]) => {
    const { cert, key } = authority.issueFor(parts)
    using volume = new MountedVolume({ cert, key })
    return loadConfig({ TLS_CERT_FILE: volume.file('cert'), TLS_KEY_FILE: volume.file('key') }).tls?.pair
      .subject
  }
  expect(subjectOf({ hosts: ['broker.shop.svc'] })).toBe('CN=broker.shop.svc')
  expect(subjectOf({ subject: '', hosts: ['broker.shop.svc', '10.0.0.1'] })).toBe(
    'DNS:broker.shop.svc, IP Address:10.0.0.1',
  )
  expect(subjectOf({ subject: '' })).toBe('')
})

test('a pair with its chain is accepted', () => {
  expect(faultsWith({ cert: pair.cert + authority.cert })).toEqual([])
})

test.each([
  [
    'the key of another certificate',
    { key: other.key },
    /^TLS_KEY_FILE: "key" is not the key of the certificate in "cert"; write both files/,
  ],
  [
    'a chain in the wrong order',
    { cert: authority.cert + pair.cert },
    /^TLS_KEY_FILE: "key" is the key of certificate 2 in "cert"; put that certificate first/,
  ],
  ['garbage for a certificate', { cert: 'garbage' }, /^TLS_CERT_FILE: "cert" holds no PEM certificate/],
  [
    'garbage for a key',
    { key: 'garbage' },
    /^TLS_KEY_FILE: "key" holds no PEM private key; write the key in PKCS #8/,
  ],
  [
    'a key with a passphrase',
    { key: encrypted },
    /^TLS_KEY_FILE: "key" is encrypted; write the key without a passphrase/,
  ],
])('%s is a fault', (_, files, sentence) => {
  const faults = faultsWith(files)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(sentence)
  expect(faults.join()).not.toContain('PRIVATE KEY-----')
})

test.each([
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['ADMIN_TLS_CERT_FILE', 'ADMIN_TLS_KEY_FILE'],
  ['DEX_CLIENT_CERT_FILE', 'DEX_CLIENT_KEY_FILE'],
])('%s and %s need each other', (certificate, key) => {
  using volume = new MountedVolume({ ...pair })
  const [first, ...more] = faultsOf({ [certificate]: volume.file('cert') })
  expect(first).toMatch(new RegExp(`^${key}: must be set, because ${certificate} is`))
  expect(more).toEqual([])
  expect(faultsOf({ [key]: volume.file('key') })[0]).toMatch(new RegExp(`^${certificate}: must be set`))
})

test('authorities and names of callers need what they belong to', () => {
  using volume = new MountedVolume({ ...pair })
  expect(faultsOf({ TLS_CLIENT_CA_FILE: volume.file('cert') })[0]).toMatch(/^TLS_CERT_FILE: must be set/)
  expect(faultsOf({ TLS_CLIENT_SANS: 'envoy' })[0]).toMatch(/^TLS_CLIENT_CA_FILE: must be set/)
  expect(faultsOf({ ADMIN_TLS_CLIENT_CA_FILE: volume.file('cert') })[0]).toMatch(
    /^ADMIN_TLS_CERT_FILE: must be/,
  )
  expect(faultsOf({ TLS_CLIENT_SANS: '*.example.com' }).join()).toContain('has a wildcard')
})

test('a name of a caller with the prefix that OpenSSL prints is refused: no certificate would match it', () => {
  const faults = faultsOf({
    TLS_CLIENT_SANS: 'URI:spiffe://shop/envoy, DNS:envoy.shop.svc, spiffe://shop/dns:1',
  }).join('\n')
  expect(faults).toContain('"URI:spiffe://shop/envoy" has the prefix of OpenSSL; write the name without URI:')
  expect(faults).toContain('"DNS:envoy.shop.svc" has the prefix of OpenSSL; write the name without DNS:')
  expect(faults).not.toContain('dns:1"')
})

test('an empty variable that would limit who connects is a warning, not silence', () => {
  using volume = new MountedVolume({ ...pair, ca: authority.cert })
  const served = { TLS_CERT_FILE: volume.file('cert'), TLS_KEY_FILE: volume.file('key') }
  expect(loadConfig(served).warnings).toEqual([])
  expect(loadConfig({ ...served, TLS_CLIENT_CA_FILE: '' }).warnings).toEqual([
    'TLS_CLIENT_CA_FILE is empty, so callers need no certificate. Set it, or remove it.',
  ])
  const mutual = { ...served, TLS_CLIENT_CA_FILE: volume.file('ca') }
  expect(loadConfig({ ...mutual, TLS_CLIENT_SANS: '' }).warnings).toEqual([
    'TLS_CLIENT_SANS is empty, so every certificate of TLS_CLIENT_CA_FILE may connect. Set it, or remove it.',
  ])
  expect(loadConfig({ TLS_CLIENT_CA_FILE: '', TLS_CLIENT_SANS: '' }).warnings).toEqual([])
})

test('an expired certificate, and one of the future, start with a warning', () => {
  const dates = [{ validTo: new Date('2024-01-01') }, { validFrom: new Date('2048-01-01') }]
  const warnings = dates.flatMap(each => {
    const { cert, key } = authority.issueFor({ hosts: ['127.0.0.1'], ...each })
    using volume = new MountedVolume({ cert, key })
    return loadConfig({ TLS_CERT_FILE: volume.file('cert'), TLS_KEY_FILE: volume.file('key') }).warnings
  })
  expect(warnings).toEqual([
    'The certificate in TLS_CERT_FILE expired at 2024-01-01T00:00:00Z: callers refuse it. Renew it.',
    'The certificate in TLS_CERT_FILE is not valid before 2048-01-01T00:00:00Z: callers refuse it. Correct the clock, or renew it.',
  ])
})

const day = 86_400_000
const dexClientPair = {
  certificateFile: '/dex/tls.crt',
  keyFile: '/dex/tls.key',
  certificates: pair.cert,
  key: pair.key,
  subject: 'CN=broker',
  validFrom: 0,
  validTo: 100 * day,
}

test('the warning of a certificate begins 14 days before its end', () => {
  const at = (now: number) => certificateWarnings({ dexClientPair }, now)
  expect(at(86 * day)).toEqual([])
  expect(at(86 * day + 1)).toEqual([
    'The certificate in DEX_CLIENT_CERT_FILE expires at 1970-04-11T00:00:00Z. Renew it before that.',
  ])
  expect(at(100 * day)[0]).toContain('expired at')
})

test('the warning is repeated once a day until the certificate is renewed', () => {
  let now = 85 * day
  let parts = { dexClientPair }
  const lines: string[] = []
  const logger = { warn: (text: string) => lines.push(text) } as never
  const watch = new CertificateWatch({ read: () => parts, logger, now: () => now })
  for (let hour = 0; hour < 4 * 24; hour++) {
    now += day / 24
    watch.look()
  }
  expect(lines).toHaveLength(3)
  parts = { dexClientPair: { ...dexClientPair, validTo: 200 * day } }
  for (let hour = 0; hour < 48; hour++) {
    now += day / 24
    watch.look()
  }
  expect(lines).toHaveLength(3)
  watch.close()
})
