import type {
  CircuitStatus,
  ClientStatus,
  IssuerStatus,
  OutageStatus,
  SharedStoreStatus,
  TokenEndpointStatus,
} from '@broker/core'
import { elapsedText } from './elapsed-text.ts'
import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'

/** Above this difference, most JWTs that have just been issued are refused. */
export const criticalSkewMs = 60_000
/** Below this difference, nobody notices: the broker warns in its log from here on too. */
export const noticeableSkewMs = 2_000

const clientsOf: Readonly<Record<keyof TokenEndpointStatus['circuits'], string>> = {
  accepted: 'clients that Dex has accepted before',
  unknown: 'clients that Dex has not accepted yet',
  exchange: 'token exchanges',
}

const doctor = 'run dex-token-broker doctor on this host, and check the logs of Dex'

/** Problems of Dex, of the issuers and of the shared store, and what the broker's clients notice of them. */
export function upstreamProblems({ at, broker }: PageFacts): readonly Problem[] {
  const { issuers, clients, sharedStore } = broker
  return [
    ...issuers.flatMap(issuer => tokenEndpointProblems(issuer)),
    ...issuers.flatMap(issuer => discoveryProblems(issuer)),
    ...issuers.flatMap(issuer => keySetProblems(issuer, at)),
    ...clients.flatMap(client => clientProblems(client, issuers)),
    ...issuers.flatMap(issuer => skewProblems(issuer)),
    ...(sharedStore === undefined ? [] : sharedStoreProblems(sharedStore)),
  ]
}

function tokenEndpointProblems({ name, tokenEndpoint }: IssuerStatus): Problem[] {
  if (tokenEndpoint === undefined) return []
  const circuits = Object.entries(tokenEndpoint.circuits) as [keyof typeof clientsOf, CircuitStatus][]
  return circuits.flatMap(([group, { state, since, outage }]) => {
    const begin = ongoing(outage)?.since ?? since
    if (state !== 'closed') {
      return {
        kind: 'circuit-open',
        severity: 'critical',
        summary: `No new tokens of ${issuerText(name)} for ${clientsOf[group]}: the circuit is ${state}${becauseOf(outage)}`,
        since: begin,
        action: actionAfter(outage, doctor),
      }
    }
    const failing = ongoing(outage)
    if (failing === undefined) return []
    return {
      kind: 'token-requests-failing',
      // While cached tokens last, no caller notices.
      severity: failing.failedLookups > 0 ? 'critical' : 'warning',
      summary: `Token requests to ${issuerText(name)} fail for ${clientsOf[group]}${becauseOf(outage)}`,
      since: begin,
      action: actionAfter(outage, doctor),
    }
  })
}

function discoveryProblems({ name, discovery }: IssuerStatus): Problem[] {
  const outage = ongoing(discovery?.outage)
  if (outage === undefined) return []
  return [
    {
      kind: 'discovery-failing',
      severity: discovery?.loadedAt === undefined ? 'critical' : 'warning',
      summary: `Discovery of ${issuerText(name)} fails${becauseOf(outage)}`,
      since: outage.since,
      action: actionAfter(outage, doctor),
    },
  ]
}

function keySetProblems({ name, keySet }: IssuerStatus, at: number): Problem[] {
  if (keySet === undefined) return []
  const { loadedAt, usableUntil, keys } = keySet
  const outage = ongoing(keySet.outage)
  const isTooOld = usableUntil !== undefined && usableUntil <= at
  if (loadedAt !== undefined && keys === 0) {
    return [
      {
        kind: 'key-set-failing',
        severity: 'critical',
        summary: `The key set of ${issuerText(name)} has no usable key`,
        since: loadedAt,
        action: actionAfter(outage, 'check the keys of the issuer: their algorithm, length and use'),
      },
    ]
  }
  if (outage === undefined) return []
  const state =
    loadedAt === undefined
      ? `The key set of ${issuerText(name)} could not be loaded`
      : `The key set of ${issuerText(name)} is ${elapsedText(at - loadedAt)} old${isTooOld ? ', too old to use' : ''}, and cannot be refreshed`
  return [
    {
      kind: 'key-set-failing',
      severity: loadedAt === undefined || isTooOld ? 'critical' : 'warning',
      summary: state + becauseOf(outage),
      since: outage.since,
      action: actionAfter(outage, doctor),
    },
  ]
}

function clientProblems(client: ClientStatus, issuers: readonly IssuerStatus[]): Problem[] {
  const { name, token, circuit } = client
  const outage = ongoing(client.outage)
  if (outage === undefined) return []
  const { code } = outage.lastFailure
  const kept = token === undefined ? '' : '; its cached token is still served'
  if (code === 'client_misconfigured') {
    return [
      {
        kind: 'client-refused',
        severity: token === undefined ? 'critical' : 'warning',
        summary: `Dex refuses the client ${name}${kept}`,
        since: outage.since,
        action: actionAfter(
          outage,
          'compare the id, secret and scope of this client with the configuration of Dex',
        ),
      },
    ]
  }
  // The problem of the issuer says the same once for all clients.
  if (issuers.some(issuer => issuer.name === client.issuer && endpointFails(issuer))) return []
  const isOpen = circuit !== undefined && circuit.state !== 'closed'
  return [
    {
      kind: isOpen ? 'circuit-open' : 'token-requests-failing',
      severity: token === undefined ? 'critical' : 'warning',
      summary: `Token requests of the client ${name} fail${kept}${becauseOf(outage)}`,
      since: outage.since,
      action: actionAfter(outage, doctor),
    },
  ]
}

function endpointFails({ tokenEndpoint, discovery }: IssuerStatus): boolean {
  const { accepted } = tokenEndpoint?.circuits ?? {}
  return (
    ongoing(discovery?.outage) !== undefined ||
    (accepted !== undefined && (accepted.state !== 'closed' || ongoing(accepted.outage) !== undefined))
  )
}

function skewProblems({ name, clockSkew }: IssuerStatus): Problem[] {
  if (clockSkew === undefined) return []
  const difference = Math.abs(clockSkew.skewMs)
  if (difference <= noticeableSkewMs) return []
  const direction = clockSkew.skewMs > 0 ? 'ahead of' : 'behind'
  return [
    {
      kind: 'clock-skew',
      severity: difference < criticalSkewMs ? 'warning' : 'critical',
      summary: `The clock of this host is at least ${elapsedText(difference)} ${direction} the clock of ${issuerText(name)}`,
      since: undefined,
      action: 'synchronize both hosts with a time server (NTP)',
    },
  ]
}

function sharedStoreProblems({ circuit, outage }: SharedStoreStatus): Problem[] {
  if (circuit === 'closed') return []
  const cause = outage?.cause === undefined ? '' : ` (${outage.cause})`
  return [
    {
      kind: 'shared-store-failing',
      severity: 'warning',
      summary: `The shared store fails${cause}: each replica requests its own tokens`,
      since: outage?.since,
      action: 'check the store, its password and the network between; SHARED_STORE_URL names it',
    },
  ]
}

function ongoing<Outage extends { readonly until: number | undefined }>(
  outage: Outage | undefined,
): Outage | undefined {
  return outage?.until === undefined ? outage : undefined
}

function becauseOf(outage: OutageStatus | undefined): string {
  if (outage === undefined) return ''
  const { message, cause } = outage.lastFailure
  return `: ${message}${cause === undefined ? '' : ` (${cause})`}`
}

function actionAfter(outage: OutageStatus | undefined, otherwise: string): string {
  return outage?.lastFailure.hint ?? otherwise
}

function issuerText(name: string): string {
  return name === 'own dex' ? 'Dex' : `the issuer ${name}`
}
