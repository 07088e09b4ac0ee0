import type { TlsParts } from '../config/tls-settings.ts'
import type { KeyPair } from '../config/values/key-pair.ts'

/** From how long before its end a certificate is warned of. */
export const warningPeriodMs = 14 * 86_400_000

/** Sentences about certificates that expire soon, are expired, or are not valid yet. `now` is in milliseconds since 1970. */
export function certificateWarnings(
  { tls, adminTls, dexClientPair }: TlsParts,
  now: number,
): readonly string[] {
  return [
    ['TLS_CERT_FILE', tls?.pair] as const,
    ['ADMIN_TLS_CERT_FILE', adminTls?.pair] as const,
    ['DEX_CLIENT_CERT_FILE', dexClientPair] as const,
  ].flatMap(([variable, pair]) => (pair === undefined ? [] : warningOf(variable, pair, now)))
}

function warningOf(variable: string, { validFrom, validTo }: KeyPair, now: number): readonly string[] {
  const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
  const other = variable === 'DEX_CLIENT_CERT_FILE' ? 'servers' : 'callers'
  if (now >= validTo) {
    return [`The certificate in ${variable} expired at ${time(validTo)}: ${other} refuse it. Renew it.`]
  }
  if (now < validFrom) {
    return [
      `The certificate in ${variable} is not valid before ${time(validFrom)}: ${other} refuse it. Correct the clock, or renew it.`,
    ]
  }
  return validTo - now < warningPeriodMs
    ? [`The certificate in ${variable} expires at ${time(validTo)}. Renew it before that.`]
    : []
}
