import type { KeyPair } from '../config/values/key-pair.ts'

/** The use of a certificate: the listener that shows it; `dex_client` for the client certificate towards Dex. */
export type CertificateUse = 'check' | 'grpc' | 'admin' | 'dex_client'

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
