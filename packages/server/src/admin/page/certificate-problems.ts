import { type CertificateInUse, isOfClient, serverOf } from '../../tls/certificate-in-use.ts'
import { type CertificateValidity, urgentPeriodMs, validityOf } from '../../tls/certificate-validity.ts'
import { elapsedText } from './elapsed-text.ts'
import type { PageFacts } from './page-status.ts'
import { timeText } from './parts.ts'
import type { Problem } from './problem.ts'

/** Problems of the certificates in use, one for each file. */
export function certificateProblems({ at, certificates }: PageFacts): readonly Problem[] {
  const byFile = Map.groupBy(certificates, ({ file }) => file)
  return [...byFile.values()].flatMap(users => problemOf(users, at))
}

function problemOf(users: readonly CertificateInUse[], at: number): readonly Problem[] {
  const [certificate] = users as readonly [CertificateInUse]
  const validity = validityOf(certificate, at)
  if (validity === 'valid') return []
  const { file, validTo } = certificate
  const renew = `renew it and replace ${file}; the broker reads a changed file by itself`
  return [
    {
      kind: 'certificate-expiring',
      severity: validity === 'expiring' && validTo - at > urgentPeriodMs ? 'warning' : 'critical',
      summary: `The ${nameOf(users)} ${stateText(validity, certificate, at)}`,
      since: validity === 'expired' ? validTo : undefined,
      action: validity === 'not_yet_valid' ? `correct the clock of this host, or ${renew}` : renew,
    },
  ]
}

function stateText(
  validity: Exclude<CertificateValidity, 'valid'>,
  { listener, validFrom, validTo }: CertificateInUse,
  at: number,
): string {
  if (validity === 'expiring') return `expires in ${elapsedText(validTo - at)}`
  const refused = `${isOfClient(listener) ? 'servers' : 'callers'} refuse it`
  return validity === 'expired'
    ? `has expired: ${refused}`
    : `is not valid before ${timeText(validFrom)}: ${refused}`
}

function nameOf(users: readonly CertificateInUse[]): string {
  const listeners = users.flatMap(({ listener }) => (isOfClient(listener) ? [] : [listenerNames[listener]]))
  if (listeners.length === 0) return `client certificate for ${serversOf(users).join(' and ')}`
  return `certificate of the ${listeners.join(' and ')} listener${listeners.length === 1 ? '' : 's'}`
}

function serversOf(users: readonly CertificateInUse[]): readonly string[] {
  return users.flatMap(({ listener }) => (isOfClient(listener) ? [serverOf(listener)] : []))
}

const listenerNames = { check: 'check', grpc: 'gRPC', admin: 'admin' } as const
