import type {
  CircuitStatus,
  ClientStatus,
  IssuerStatus,
  OutageStatus,
  SharedStoreStatus,
  TokenEndpointStatus,
} from '@broker/core'
import { clockSkewSeverity } from '@broker/core/diagnosis'
import { tokenEndpointsOf } from '../token-endpoints-of.ts'
import { elapsedText } from './elapsed-text.ts'
import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'

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

function tokenEndpointProblems({ name, tokenEndpoint, mtlsTokenEndpoint }: IssuerStatus): Problem[] {
  const text = issuerText(name)
  const ofTokens = endpointProblems(text, tokenEndpoint)
  // Without an alias it is the same endpoint, and fails with it.
  const isSame = ofTokens.length > 0 && mtlsTokenEndpoint?.url === tokenEndpoint?.url
  return isSame
    ? ofTokens
    : [...ofTokens, ...endpointProblems(`${text} for client certificates`, mtlsTokenEndpoint)]
}

function endpointProblems(name: string, endpoint: TokenEndpointStatus | undefined): Problem[] {
  if (endpoint === undefined) return []
  const circuits = Object.entries(endpoint.circuits) as [keyof typeof clientsOf, CircuitStatus][]
  const failing = circuits.filter(([, each]) => each.state !== 'closed' || ongoing(each.outage) !== undefined)
  // A Dex that is down fails in the same way for everybody, and is one problem.
  const groups = Map.groupBy(failing, ([, { state, outage }]) => `${state}${becauseOf(outage)}`)
  return [...groups.values()].map(alike => {
    const whom =
      alike.length === circuits.length ? '' : ` for ${alike.map(([group]) => clientsOf[group]).join(' and ')}`
    const [[, { state, outage }]] = alike as [(typeof alike)[number]]
    const begins = alike
      .map(([, each]) => ongoing(each.outage)?.since ?? each.since)
      .filter(begin => begin !== undefined)
    const rest = {
      since: begins.length === 0 ? undefined : Math.min(...begins),
      action: actionAfter(outage, doctor),
    }
    if (state !== 'closed') {
      return {
        ...rest,
        kind: 'circuit-open',
        severity: 'critical',
        summary: `No new tokens of ${name}${whom}: the circuit is ${state}${becauseOf(outage)}`,
      }
    }
    return {
      ...rest,
      kind: 'token-requests-failing',
      // While cached tokens last, no caller notices.
      severity: alike.some(([, each]) => (each.outage?.failedLookups ?? 0) > 0) ? 'critical' : 'warning',
      summary: `Token requests to ${name} fail${whom}${becauseOf(outage)}`,
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
        summary: `Dex refuses the client ${name}${becauseOf(outage)}${kept}`,
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

function endpointFails(issuer: IssuerStatus): boolean {
  return (
    ongoing(issuer.discovery?.outage) !== undefined ||
    tokenEndpointsOf(issuer).some(({ endpoint: { circuits } }) => {
      const { state, outage } = circuits.accepted
      return state !== 'closed' || ongoing(outage) !== undefined
    })
  )
}

function skewProblems({ name, clockSkew }: IssuerStatus): Problem[] {
  if (clockSkew === undefined) return []
  const severity = clockSkewSeverity(clockSkew.skewMs)
  if (severity === 'none') return []
  const direction = clockSkew.skewMs > 0 ? 'ahead of' : 'behind'
  return [
    {
      kind: 'clock-skew',
      severity,
      summary: `The clock of this host is at least ${elapsedText(Math.abs(clockSkew.skewMs))} ${direction} the clock of ${issuerText(name)}`,
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
  if (name === 'own dex') return 'Dex'
  // The issuer of a gate without a configuration file has no name that an operator gave it.
  return name === 'default' ? 'the JWT issuer' : `the issuer ${name}`
}
