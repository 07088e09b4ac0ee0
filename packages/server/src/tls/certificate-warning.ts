import type { TlsParts } from '../config/tls-settings.ts'
import type { KeyPair } from '../config/values/key-pair.ts'
import { validityOf } from './certificate-validity.ts'

/** Sentences about certificates that expire soon, are expired, or are not valid yet. `now` is in milliseconds since 1970. */
export function certificateWarnings(parts: TlsParts, now: number): readonly string[] {
  return certificatesByVariable(parts).flatMap(
    ([variable, pair]) => certificateWarning(variable, pair, now) ?? [],
  )
}

/** The certificates of a configuration, each with the variable of its file. */
export function certificatesByVariable({
  tls,
  adminTls,
  dexClientPair,
}: TlsParts): readonly (readonly [variable: string, pair: KeyPair])[] {
  const all = [
    ['TLS_CERT_FILE', tls?.pair],
    ['ADMIN_TLS_CERT_FILE', adminTls?.pair],
    ['DEX_CLIENT_CERT_FILE', dexClientPair],
  ] as const
  return all.flatMap(([variable, pair]) => (pair === undefined ? [] : [[variable, pair] as const]))
}

/** Tells that a certificate expires soon, is expired or is not valid yet; `undefined` for others. `now` is in milliseconds since 1970. */
export function certificateWarning(variable: string, pair: KeyPair, now: number): string | undefined {
  const { validFrom, validTo } = pair
  const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
  const other = variable === 'DEX_CLIENT_CERT_FILE' ? 'servers' : 'callers'
  const sentences = {
    valid: undefined,
    expiring: `The certificate in ${variable} expires at ${time(validTo)}. Renew it before that.`,
    expired: `The certificate in ${variable} expired at ${time(validTo)}: ${other} refuse it. Renew it.`,
    not_yet_valid: `The certificate in ${variable} is not valid before ${time(validFrom)}: ${other} refuse it. Correct the clock, or renew it.`,
  }
  return sentences[validityOf(pair, now)]
}

/** Whether a sentence is one of {@link certificateWarnings}. */
export function isCertificateWarning(text: string): boolean {
  return text.startsWith('The certificate in ')
}
