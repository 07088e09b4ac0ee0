import { validityOf } from '../tls/certificate-validity.ts'
import { certificateWarning, configuredCertificates } from '../tls/certificate-warning.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

const dayMs = 86_400_000

/** Tells how long the certificates of the broker itself are valid. A valid configuration has the key of each. */
export function checkOwnCertificates({ config, now }: DoctorContext, report: Report): void {
  for (const certificate of configuredCertificates(config)) {
    const { place, pair } = certificate
    const problem = certificateWarning(certificate, now())
    const days = Math.floor((pair.validTo - now()) / dayMs)
    if (problem === undefined) {
      report(ok(place, `${pair.keyFile} is its key; expires in ${days} day${days === 1 ? '' : 's'}`))
      continue
    }
    const verdict = validityOf(pair, now()) === 'expiring' ? warning : failed
    report(verdict(place, problem, `renew ${pair.certificateFile} and ${pair.keyFile}`))
  }
}
