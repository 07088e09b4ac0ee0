import { describeHint } from '../describe-hint.ts'
import { checkCertificate, type TrustedHost } from './certificate.ts'
import { failed, ok, type Report } from './check-result.ts'
import { checkConnection } from './connection.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkNameResolution } from './name-resolution.ts'
import { openTunnel } from './proxy-tunnel.ts'

/** A server to reach. */
export interface WantedHost extends Omit<TrustedHost, 'addresses' | 'tunnel'> {
  /** The path of the option that names it. */
  readonly option: string
  readonly tls: boolean
  /** Default: a direct connection. */
  readonly proxy?: URL | undefined
}

/** Checks the way to a server: name, connection, certificate. Returns whether requests can reach it. */
export async function checkHost(
  context: DoctorContext,
  { option, tls, proxy, ...wanted }: WantedHost,
  report: Report,
): Promise<boolean> {
  if (proxy !== undefined) return checkProxiedHost(context, { option, tls, proxy, ...wanted }, report)
  const addresses = await checkNameResolution(context, wanted.host, option, report)
  if (addresses.length === 0) return false
  const where = { ...wanted, addresses }
  if (!(await checkConnection(context, where, report))) return false
  return !tls || (await checkCertificate(context, where, report))
}

/** Only the proxy resolves the name of the server and connects to it. */
async function checkProxiedHost(
  context: DoctorContext,
  { option, tls, proxy, ...wanted }: WantedHost & { readonly proxy: URL },
  report: Report,
): Promise<boolean> {
  const variable = tls ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const advice = describeHint({ problem: 'proxy_failed', option })
  const host = proxy.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(proxy.port) || (proxy.protocol === 'https:' ? 443 : 80)
  const addresses = await checkNameResolution(context, host, variable, report)
  if (addresses.length === 0) return false
  if (!(await checkConnection(context, { host, port, addresses, adviceFor: () => advice }, report)))
    return false
  const target = `${wanted.host.includes(':') ? `[${wanted.host}]` : wanted.host}:${wanted.port}`
  const name = `proxy for ${target}`
  if (!tls) {
    report(ok(name, `requests go through ${proxy.host} of ${variable}`))
    return true
  }
  const tunnel = await openTunnel(context, proxy, target)
  if ('code' in tunnel) {
    report(failed(name, `${proxy.host} of ${variable} opened no connection (${tunnel.code})`, advice))
    return false
  }
  report(ok(name, `${proxy.host} of ${variable} opened a connection`))
  return checkCertificate(context, { ...wanted, addresses, tunnel }, report)
}
