import type { KeyPair } from '../config/values/key-pair.ts'

/** A client certificate: towards Dex, or towards the issuer with a name. */
export type ClientCertificateUse = 'dex_client' | `dex_client:${string}`

/** The use of a certificate: the listener that shows it, or the server to which the broker shows it as a client. */
export type CertificateUse = 'check' | 'grpc' | 'admin' | ClientCertificateUse

/** Whether servers see the certificate, and not callers. */
export function isOfClient(use: CertificateUse): use is ClientCertificateUse {
  return use.startsWith('dex_client')
}

/** The server to which a client certificate is shown. */
export function serverOf(use: ClientCertificateUse): string {
  return use === 'dex_client' ? 'Dex' : use.slice('dex_client:'.length)
}

/** A certificate in use. Times are in milliseconds since 1970. */
export interface CertificateInUse extends Pick<KeyPair, 'subject' | 'validFrom' | 'validTo'> {
  readonly listener: CertificateUse
  /** The file of the certificate and its chain. */
  readonly file: string
}

/** Describes a certificate in use; nothing when there is none. */
export function certificateInUse(
  listener: CertificateUse,
  pair: KeyPair | undefined,
): readonly CertificateInUse[] {
  if (pair === undefined) return []
  const { subject, certificateFile: file, validFrom, validTo } = pair
  return [{ listener, subject, file, validFrom, validTo }]
}
