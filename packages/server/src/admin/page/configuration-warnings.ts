import { isCertificateWarning } from '../../tls/certificate-warning.ts'
import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'

/** Problems of a valid configuration: dangers and likely mistakes. Certificates are left out: they have a problem that follows their renewal. */
export function configurationWarnings({ configWarnings, activity }: PageFacts): readonly Problem[] {
  return configWarnings
    .filter(text => !isCertificateWarning(text))
    .map(summary => ({
      kind: 'configuration-warning',
      severity: 'warning',
      summary,
      since: activity.configLoadedAt,
      action: 'correct the setting that it names; nothing to do if it is intended',
    }))
}
