import { checkCertificate, type TrustedHost } from './certificate.ts'
import type { Report } from './check-result.ts'
import { checkConnection } from './connection.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkNameResolution } from './name-resolution.ts'

/** A server to reach. */
export interface WantedHost extends Omit<TrustedHost, 'addresses'> {
  /** The path of the option that names it. */
  readonly option: string
  readonly tls: boolean
}

/** Checks the way to a server: name, connection, certificate. Returns whether requests can reach it. */
export async function checkHost(
  context: DoctorContext,
  { option, tls, ...wanted }: WantedHost,
  report: Report,
): Promise<boolean> {
  const addresses = await checkNameResolution(context, wanted.host, option, report)
  if (addresses.length === 0) return false
  const where = { ...wanted, addresses }
  if (!(await checkConnection(context, where, report))) return false
  return !tls || (await checkCertificate(context, where, report))
}
