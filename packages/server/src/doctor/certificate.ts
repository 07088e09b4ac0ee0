import { isIP, type Socket } from 'node:net'
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { renewalPeriodMs } from '../tls/certificate-validity.ts'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import type { HostPort } from './connection.ts'
import type { DoctorContext } from './doctor-context.ts'

const dayMs = 86_400_000
/** No real chain is longer; a certificate can name itself as its issuer. */
const maxChain = 10

export interface TrustedHost extends HostPort {
  /** PEM of certificates that are trusted in addition; `own` when they are not known here. */
  readonly trusted: string | undefined | 'own'
  /** A connection through a proxy. Default: a new one, to the first address. */
  readonly tunnel?: Socket | undefined
  /** Where these certificates are set. */
  readonly trustSetting: string
}

/** Checks the certificate of a server: its chain, its names and its time. Returns whether the broker accepts it. */
export async function checkCertificate(
  context: DoctorContext,
  host: TrustedHost,
  report: Report,
): Promise<boolean> {
  const name = `TLS ${host.host}:${host.port}`
  const connected = await handshake(context, host)
  if ('code' in connected) {
    report(failed(name, `handshake failed (${connected.code})`, host.adviceFor(connected.code)))
    return false
  }
  const { chain, problem, protocol } = connected
  const [leaf] = chain
  if (leaf === undefined) {
    report(failed(name, 'the server sent no certificate'))
    return false
  }
  const now = context.now()
  const soonest = chain.reduce((one, other) => (endOf(other) < endOf(one) ? other : one), leaf)
  if (problem !== undefined && host.trusted === 'own') {
    report(skipped(name, `${protocol}, ${endText(leaf, now)}; its issuer's own CA file decides`))
    return true
  }
  if (problem !== undefined) {
    const { fact, advice } = untrusted(problem, leaf, soonest, host, now)
    report(failed(name, fact, advice ?? host.adviceFor(problem)))
    return false
  }
  const fact = `${protocol}, ${endText(soonest, now)}, issued by ${nameOf(leaf.issuer)}`
  report(
    endOf(soonest) - now < renewalPeriodMs
      ? warning(
          name,
          fact,
          `renew the certificate ${nameOf(soonest.subject)} of ${host.host} before it expires`,
        )
      : ok(name, fact),
  )
  return true
}

function untrusted(
  problem: string,
  leaf: DetailedPeerCertificate,
  soonest: DetailedPeerCertificate,
  { host, trustSetting }: TrustedHost,
  now: number,
): { readonly fact: string; readonly advice?: string } {
  if (problem === 'CERT_HAS_EXPIRED' || problem === 'CERT_NOT_YET_VALID') {
    return { fact: `the certificate ${nameOf(soonest.subject)} ${endText(soonest, now)} (${problem})` }
  }
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = leaf.subjectaltname?.replaceAll('DNS:', '').replaceAll('IP Address:', '') ?? 'no name'
    return { fact: `the certificate is for ${names}, not for ${host} (${problem})` }
  }
  const issuer = nameOf(leaf.issuer)
  return {
    fact: `the certificate is not trusted: its CA ${issuer} is unknown here (${problem})`,
    advice: `add the certificate of the CA ${issuer} to ${trustSetting}`,
  }
}

interface Handshake {
  /** The server's certificate first. */
  readonly chain: readonly DetailedPeerCertificate[]
  /** Why the broker would not accept it. */
  readonly problem: string | undefined
  readonly protocol: string
}

function handshake(
  context: DoctorContext,
  { host, port, addresses, trusted, tunnel }: TrustedHost,
): Promise<Handshake | { readonly code: string }> {
  const signal = context.deadline()
  return new Promise(resolve => {
    const socket: TLSSocket = connect({
      ...(tunnel ? { socket: tunnel } : { host: addresses[0] ?? host, port }),
      ...(isIP(host) === 0 && { servername: host }),
      secureContext: context.trust.contextOf(trusted === 'own' ? undefined : trusted),
      // The certificate is what is examined.
      rejectUnauthorized: false,
    })
    signal.addEventListener('abort', () => socket.destroy(), { once: true })
    socket.once('secureConnect', () => {
      resolve({
        chain: chainOf(socket.getPeerCertificate(true)),
        problem: socket.authorized ? undefined : codeOf(socket.authorizationError),
        protocol: socket.getProtocol() ?? 'TLS',
      })
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? 'unknown error' }))
    socket.once('close', () => resolve({ code: signal.aborted ? 'ERR_TLS_HANDSHAKE_TIMEOUT' : 'ECONNRESET' }))
  })
}

/** Node has an error or its code there. */
function codeOf(error: unknown): string {
  if (typeof error === 'string') return error
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
}

function chainOf(leaf: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  for (let each = leaf; each?.raw !== undefined && chain.length < maxChain; each = each.issuerCertificate) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === each.fingerprint256)) break
    chain.push(each)
  }
  return chain
}

function endOf({ valid_to: end }: DetailedPeerCertificate): number {
  return Date.parse(end)
}

function endText(certificate: DetailedPeerCertificate, now: number): string {
  const begin = Date.parse(certificate.valid_from)
  const date = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  if (begin > now) return `is valid from ${date(begin)}`
  const days = Math.floor((endOf(certificate) - now) / dayMs)
  if (days < 0) return `expired ${-days} day${days === -1 ? '' : 's'} ago, on ${date(endOf(certificate))}`
  return `expires in ${days} day${days === 1 ? '' : 's'}, on ${date(endOf(certificate))}`
}

function nameOf(subject: unknown): string {
  const { CN, O } = (subject ?? {}) as { readonly CN?: string; readonly O?: string }
  return JSON.stringify(CN ?? O ?? 'without a name')
}
