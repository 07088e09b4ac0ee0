import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BrokerError } from '../shared/errors.ts'

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
/** Visible ASCII: other characters cannot be in a bearer token (RFC 6750 section 2.1). */
const bearerToken = /^[\x21-\x7e]+$/

/** Reads the CA file; `option` names it in the hint. */
export async function readCaFile(file: string, option: string): Promise<string> {
  const text = await read(file, option)
  const certificates = text.match(certificate) ?? []
  if (certificates.length === 0) throw unreadable(file, option)
  try {
    // OpenSSL takes a damaged certificate only as far as the connection.
    for (const pem of certificates) new X509Certificate(pem)
  } catch (cause) {
    throw unreadable(file, option, cause)
  }
  return certificates.join('\n')
}

/** Reads the token file; `option` names it in the hint. */
export async function readTokenFile(file: string, option: string): Promise<string> {
  const token = (await read(file, option)).trim()
  if (!bearerToken.test(token)) throw unreadable(file, option)
  return token
}

async function read(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, option, cause)
  }
}

/** Transient: a file that is mounted late, or repaired, is read by the next request. */
function unreadable(file: string, option: string, cause?: unknown): BrokerError {
  return new BrokerError('jwks_unavailable', 'a file of the Kubernetes issuer is unusable', {
    transient: true,
    hint: { problem: 'unusable_file', option, detail: file },
    cause,
  })
}
