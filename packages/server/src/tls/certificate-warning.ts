import type { CertificateParts } from '../config/tls-settings.ts'
import type { KeyPair } from '../config/values/key-pair.ts'
import { validityOf } from './certificate-validity.ts'

/** A certificate of a configuration. */
export interface ConfiguredCertificate {
  /** Its variable; the path of its file, for a client of the configuration file. */
  readonly place: string
  readonly pair: KeyPair
  /** Those who refuse it when it is not valid. */
  readonly shownTo: 'callers' | 'servers'
}

/** Sentences about certificates that expire soon, are expired, or are not valid yet. `now` is in milliseconds since 1970. */
export function certificateWarnings(parts: CertificateParts, now: number): readonly string[] {
  return configuredCertificates(parts).flatMap(each => certificateWarning(each, now) ?? [])
}

/** The certificates of a configuration. */
export function configuredCertificates({
  tls,
  adminTls,
  dexClientPair,
  file,
}: CertificateParts): readonly ConfiguredCertificate[] {
  const { own, ofIssuers = {} } = file?.clientIdentities ?? {}
  // Several issuers can be shown one certificate.
  const ofClients = new Map(
    [own, ...Object.values(ofIssuers)].flatMap(pair =>
      pair === undefined ? [] : [[pair.certificateFile, pair] as const],
    ),
  )
  const all = [
    ['TLS_CERT_FILE', tls?.pair, 'callers'],
    ['ADMIN_TLS_CERT_FILE', adminTls?.pair, 'callers'],
    ['DEX_CLIENT_CERT_FILE', dexClientPair, 'servers'],
    ...[...ofClients].map(([path, pair]) => [path, pair, 'servers'] as const),
  ] as const
  return all.flatMap(([place, pair, shownTo]) => (pair === undefined ? [] : [{ place, pair, shownTo }]))
}

/** Tells that a certificate expires soon, is expired or is not valid yet; `undefined` for others. `now` is in milliseconds since 1970. */
export function certificateWarning(
  { place, pair, shownTo }: ConfiguredCertificate,
  now: number,
): string | undefined {
  const { validFrom, validTo } = pair
  const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
  const sentences = {
    valid: undefined,
    expiring: `The certificate in ${place} expires at ${time(validTo)}. Renew it before that.`,
    expired: `The certificate in ${place} expired at ${time(validTo)}: ${shownTo} refuse it. Renew it.`,
    not_yet_valid: `The certificate in ${place} is not valid before ${time(validFrom)}: ${shownTo} refuse it. Correct the clock, or renew it.`,
  }
  return sentences[validityOf(pair, now)]
}

/** Whether a sentence is one of {@link certificateWarnings}. */
export function isCertificateWarning(text: string): boolean {
  return text.startsWith('The certificate in ')
}
