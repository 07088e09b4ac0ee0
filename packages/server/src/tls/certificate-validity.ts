/** From how long before its end a certificate is to be renewed: time to do it by hand, and less than what cert-manager leaves (30 days of 90). */
export const renewalPeriodMs = 14 * 86_400_000
/** From how long before its end that is urgent: less than a weekend. */
export const urgentPeriodMs = 2 * 86_400_000

/** `expiring`: valid, and within {@link renewalPeriodMs} of its end. */
export type CertificateValidity = 'valid' | 'expiring' | 'expired' | 'not_yet_valid'

/** Judges a certificate. Times are in milliseconds since 1970. */
export function validityOf(
  { validFrom, validTo }: { readonly validFrom: number; readonly validTo: number },
  now: number,
): CertificateValidity {
  if (now >= validTo) return 'expired'
  if (now < validFrom) return 'not_yet_valid'
  return validTo - now < renewalPeriodMs ? 'expiring' : 'valid'
}
