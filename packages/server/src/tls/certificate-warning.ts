import type { TlsParts } from '../config/tls-settings.ts'
import type { KeyPair } from '../config/values/key-pair.ts'

/** From how long before its end a certificate is warned of. */
export const warningPeriodMs = 14 * 86_400_000

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
export function certificateWarning(
  variable: string,
  { validFrom, validTo }: KeyPair,
  now: number,
): string | undefined {
  const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
  const other = variable === 'DEX_CLIENT_CERT_FILE' ? 'servers' : 'callers'
  if (now >= validTo) {
    return `The certificate in ${variable} expired at ${time(validTo)}: ${other} refuse it. Renew it.`
  }
  if (now < validFrom) {
    return `The certificate in ${variable} is not valid before ${time(validFrom)}: ${other} refuse it. Correct the clock, or renew it.`
  }
  return validTo - now < warningPeriodMs
    ? `The certificate in ${variable} expires at ${time(validTo)}. Renew it before that.`
    : undefined
}

/** Whether a sentence is one of {@link certificateWarnings}. */
export function isCertificateWarning(text: string): boolean {
  return text.startsWith('The certificate in ')
}
