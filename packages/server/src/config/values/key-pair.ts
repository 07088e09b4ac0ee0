import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { certificateBlocks, certificatesIn } from './ca-file.ts'
import { privateKeyIn } from './private-key-file.ts'
import { quoteValue } from './quote-value.ts'
import { maxFileBytes, type ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

/** A certificate with its key, read from their files. */
export interface KeyPair {
  readonly certificateFile: string
  readonly keyFile: string
  /** The certificate and its chain, PEM. */
  readonly certificates: string
  /** PEM. */
  readonly key: string
  /** The subject of the certificate, such as `CN=broker`; without one, its subject alternative names. */
  readonly subject: string
  /** When the last certificate of the chain becomes valid, in milliseconds since 1970. */
  readonly validFrom: number
  /** When the first certificate of the chain expires, in milliseconds since 1970. */
  readonly validTo: number
}

/**
 * Reads a certificate and its key, which must belong together. One read is within the other, so that a reload which finds only one of
 * them replaced uses both as they were. Throws a `Refusal` that never holds the key.
 */
export function readKeyPair(certificateFile: string, keyFile: string, read: ReadTextFile): KeyPair {
  return read(certificateFile, maxFileBytes, certificateText => {
    const certificates = certificatesIn(certificateFile, certificateText)
    return read(keyFile, maxFileBytes, keyText => {
      const key = privateKeyIn(keyFile, keyText)
      return { certificateFile, keyFile, ...checkedPair({ certificateFile, keyFile, certificates, key }) }
    })
  })
}

type PairText = Pick<KeyPair, 'certificateFile' | 'keyFile' | 'certificates' | 'key'>

function checkedPair(pair: PairText): Omit<KeyPair, 'certificateFile' | 'keyFile'> {
  const { certificateFile, keyFile, certificates, key } = pair
  const chain = certificateBlocks(certificates).map(block => new X509Certificate(block))
  const privateKey = createPrivateKey(key)
  const place = chain.findIndex(certificate => certificate.checkPrivateKey(privateKey))
  if (place === -1) {
    throw new Refusal(
      `${quoteValue(keyFile)} is not the key of the certificate in ${quoteValue(certificateFile)}; write both files of one pair`,
    )
  }
  if (place > 0) {
    throw new Refusal(
      `${quoteValue(keyFile)} is the key of certificate ${place + 1} in ${quoteValue(certificateFile)}; put that certificate first, and its chain behind it`,
    )
  }
  try {
    createSecureContext({ cert: certificates, key })
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new Refusal(
      `${quoteValue(certificateFile)} is refused by OpenSSL (${code}); issue a certificate with a stronger key`,
    )
  }
  return {
    certificates,
    key,
    subject: subjectOf(chain[0]),
    validFrom: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    validTo: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  }
}

/** Node has a line for each part of a subject, and `undefined` for an empty one, which is common: verifiers read only the names. */
function subjectOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject?.replaceAll('\n', ', ') ?? certificate?.subjectAltName ?? ''
}
