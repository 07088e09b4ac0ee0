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
  /** Issues a certificate with other names or another life. */
  issueFor(parts: CertificateFor): TlsIdentity
}

/** The contents of a certificate. */
export interface CertificateFor {
  /** IPv4 addresses and DNS names; with `uris` empty too, the certificate has no subject alternative names. */
  readonly hosts?: readonly string[]
  /** The common name. Default: the first host, or `server`; `''` leaves the subject empty. */
  readonly subject?: string
  /** URIs, such as SPIFFE ids. */
  readonly uris?: readonly string[]
  /** Default: 2020. */
  readonly validFrom?: Date
  /** Default: 2049. */
  readonly validTo?: Date
}

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

/** Creates a CA on P-256. Its certificates are valid from 2020 to 2049. */
export function createCertificateAuthority(name = 'Test CA'): CertificateAuthority {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issue = (
    subject: string,
    publicKey: KeyObject,
    extensions: readonly Buffer[],
    { validFrom = new Date('2020-01-01'), validTo = new Date('2049-01-01') }: CertificateFor = {},
  ) =>
    certificate({
      issuer: name,
      subject,
      publicKey,
      extensions,
      signer: ca.privateKey,
      validity: [validFrom, validTo],
    })
  const issueFor = (parts: CertificateFor): TlsIdentity => {
    const { hosts = [], uris = [], subject = hosts[0] ?? 'server' } = parts
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const names = hosts.length + uris.length === 0 ? [] : [subjectAltName(hosts, uris)]
    return {
      cert: issue(subject, publicKey, names, parts),
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    }
  }
  return {
    // basicConstraints, critical: this is a CA.
    cert: issue(name, ca.publicKey, [extension('551d13', true, sequence(der(0x01, Buffer.from([0xff]))))]),
    issue: (...hosts) => issueFor({ hosts }),
    issueFor,
  }
}

interface CertificateParts {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly signer: KeyObject
  readonly validity: readonly [from: Date, to: Date]
}

/** An X.509 certificate (RFC 5280 section 4.1). */
function certificate(parts: CertificateParts): string {
  const { issuer, subject, publicKey, extensions, signer, validity } = parts
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(...validity.map(utcTime)),
    subject === '' ? sequence() : commonName(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, signer)])
  const body = sequence(toBeSigned, ecdsaWithSha256, der(0x03, signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${body.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** A time until 2049. */
function utcTime(time: Date): Buffer {
  const digits = time.toISOString().slice(2, 19).replace(/\D/g, '')
  return der(0x17, Buffer.from(`${digits}Z`))
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))))
}

function subjectAltName(hosts: readonly string[], uris: readonly string[]): Buffer {
  const names = hosts.map(host =>
    isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  )
  const locations = uris.map(uri => der(0x86, Buffer.from(uri)))
  return extension('551d11', false, sequence(...names, ...locations))
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
