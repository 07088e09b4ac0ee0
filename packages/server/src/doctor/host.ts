import { checkCertificate } from './certificate.ts'
import type { Report } from './check-result.ts'
import { checkConnection } from './connection.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkNameResolution } from './name-resolution.ts'
import type { Upstream } from './upstream.ts'

/** Checks the way to a server: name, connection, certificate. Returns whether requests can reach it. */
export async function checkHost(
  context: DoctorContext,
  { upstream, url, option }: { readonly upstream: Upstream; readonly url: string; readonly option: string },
  report: Report,
): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const path = upstream.optionPrefix + option
  const addresses = await checkNameResolution(context, host, path, report)
  if (addresses.length === 0) return false
  const { trusted, trustSetting } = upstream
  const where = {
    host,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    addresses,
    option: path,
    trusted,
    trustSetting,
  }
  if (!(await checkConnection(context, where, report))) return false
  return protocol !== 'https:' || (await checkCertificate(context, where, report))
}
