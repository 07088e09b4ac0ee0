import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate with its key, both PEM. */
export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/** A CA for the servers of tests. */
export interface CertificateAuthority {
  /** The CA's certificate, PEM. */
  readonly cert: string
  /** Issues a certificate for these IPv4 addresses and DNS names. */
  issue(...hosts: readonly string[]): TlsIdentity
  /** Issues one that ends at a moment, from 2020 to 2049. */
  issueUntil(end: Date, ...hosts: readonly string[]): TlsIdentity
}

const lastDay = new Date('2049-01-01T00:00:00Z')

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

/** Creates a CA on P-256. Its certificates are valid from 2020 to 2049. */
export function createCertificateAuthority(name = 'Test CA'): CertificateAuthority {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issue = (subject: string, publicKey: KeyObject, extensions: readonly Buffer[], end = lastDay) =>
    certificate({ issuer: name, subject, publicKey, extensions, end, signer: ca.privateKey })
  const issueUntil = (end: Date, ...hosts: readonly string[]) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return {
      cert: issue(hosts[0] ?? 'server', publicKey, [subjectAltName(hosts)], end),
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    }
  }
  return {
    // basicConstraints, critical: this is a CA.
    cert: issue(name, ca.publicKey, [extension('551d13', true, sequence(der(0x01, Buffer.from([0xff]))))]),
    issue: (...hosts) => issueUntil(lastDay, ...hosts),
    issueUntil,
  }
}

interface CertificateParts {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly end: Date
  readonly signer: KeyObject
}

/** An X.509 certificate (RFC 5280 section 4.1). */
function certificate({ issuer, subject, publicKey, extensions, end, signer }: CertificateParts): string {
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from(utcTime(end)))),
    commonName(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, signer)])
  const body = sequence(toBeSigned, ecdsaWithSha256, der(0x03, signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${body.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** `YYMMDDhhmmssZ` (RFC 5280 section 4.1.2.5.1). */
function utcTime(date: Date): string {
  return `${date
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2)}`
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))))
}

function subjectAltName(hosts: readonly string[]): Buffer {
  const names = hosts.map(host =>
    isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  )
  return extension('551d11', false, sequence(...names))
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, der(0x04, value))
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

/** A value in DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
