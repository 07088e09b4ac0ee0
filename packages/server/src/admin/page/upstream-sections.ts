import type {
  CircuitStatus,
  FailureStatus,
  IssuerStatus,
  OutageStatus,
  TokenEndpointStatus,
} from '@broker/core'
import { tokenEndpointsOf } from '../token-endpoints-of.ts'
import { elapsedText } from './elapsed-text.ts'
import { type Html, type HtmlPart, html } from './html.ts'
import type { PageStatus } from './page-status.ts'
import { ago, badge, code, integer, section, until } from './parts.ts'
import { table } from './table.ts'

/** Dex and the issuers: where they are, and whether they answer. */
export function issuersSection({ broker, at }: PageStatus): Html {
  const rows = broker.issuers.flatMap(status => {
    const { name, issuer, isOfCallers, discovery, tokenEndpoint, mtlsTokenEndpoint, clockSkew } = status
    const ofIssuer = [
      name,
      code(issuer),
      [tokenEndpoint && 'issues tokens', isOfCallers && 'verifies callers'].filter(Boolean).join(', '),
      discovery && (ago(discovery.loadedAt, at) ?? failing(discovery, at)),
      ...endpointCells(tokenEndpoint),
      clockSkew && (clockSkew.skewMs === 0 ? 'none' : skewText(clockSkew.skewMs)),
    ]
    if (mtlsTokenEndpoint === undefined) return [ofIssuer]
    const use = 'issues tokens to clients with a certificate'
    return [
      ofIssuer,
      [`${name} mtls`, code(issuer), use, undefined, ...endpointCells(mtlsTokenEndpoint), undefined],
    ]
  })
  return section(
    'issuers',
    'Dex and issuers',
    table(
      'Where tokens and keys come from',
      ['Name', 'Issuer', 'Use', 'Discovered', 'Token endpoint', '#Requests', '#Waiting', '#Clock skew'],
      rows,
    ),
    true,
  )
}

function endpointCells(endpoint: TokenEndpointStatus | undefined): readonly (HtmlPart | undefined)[] {
  if (endpoint === undefined) return [undefined, undefined, undefined]
  const { url, running, maxRunning, waiting } = endpoint
  return [code(url), `${running} of ${maxRunning}`, integer(waiting)]
}

const groups = { accepted: 'known clients', unknown: 'new clients', exchange: 'exchanges' } as const

/** The circuits in front of token endpoints, and of single clients. */
export function circuitsSection({ broker, at }: PageStatus): Html {
  const ofIssuers = broker.issuers
    .flatMap(tokenEndpointsOf)
    .flatMap(({ name, endpoint }) =>
      Object.entries(endpoint.circuits).map(([group, circuit]) =>
        circuitRow(name, groups[group as keyof typeof groups], circuit, at),
      ),
    )
  const ofClients = broker.clients.flatMap(({ name, issuer, circuit }) =>
    circuit === undefined ? [] : [circuitRow(issuer, `client ${name}`, circuit, at)],
  )
  const store = broker.sharedStore
  const ofStore =
    store === undefined
      ? []
      : [
          [
            'shared store',
            'all',
            stateBadge(store.circuit),
            ago(store.outage?.since, at),
            undefined,
            until(store.nextProbeAt, at, 'now'),
            store.outage && integer(store.outage.failedAttempts),
          ],
        ]
  return section(
    'circuits',
    'Circuits',
    table(
      'State of each circuit',
      ['Of', 'For', 'State', 'Last failure', 'Last answer', 'Next probe', '#Failed attempts'],
      [...ofIssuers, ...ofClients, ...ofStore],
      'No token endpoint is configured.',
    ),
  )
}

function circuitRow(name: string, group: string, circuit: CircuitStatus, at: number): HtmlPart[] {
  const { state, lastAnswerAt, nextProbeAt, outage } = circuit
  return [
    name,
    group,
    stateBadge(state),
    ago(outage?.lastFailedAt, at),
    ago(lastAnswerAt, at),
    until(nextProbeAt, at, 'now'),
    outage && integer(outage.failedAttempts),
  ]
}

function stateBadge(state: CircuitStatus['state']): Html {
  return badge(state === 'closed' ? 'good' : 'critical', state)
}

/** The keys that verify JWTs. */
export function keySetsSection({ broker, at }: PageStatus): Html {
  const rows = broker.issuers.flatMap(({ name, keySet, keysOf }: IssuerStatus) => {
    if (keySet === undefined) {
      return keysOf === undefined || keysOf === name ? [] : [[name, `the keys of ${keysOf}`]]
    }
    const { keys, kids, unusable, loadedAt, refreshAt, usableUntil, outage } = keySet
    const isFailing = outage !== undefined && outage.until === undefined
    return [
      [
        name,
        html`${kids.map(kid => html`<code class="kid">${kid}</code> `)}${keys > kids.length && `${keys - kids.length} more`}`,
        integer(keys),
        integer(unusable.length),
        ago(loadedAt, at) ?? failing(keySet, at),
        until(refreshAt, at, 'with the next use'),
        until(usableUntil, at, 'too old'),
        isFailing && failureText(outage.lastFailure),
      ],
    ]
  })
  return section(
    'key-sets',
    'Key sets',
    table(
      "Keys that verify callers' JWTs and tell dead tokens",
      ['Issuer', 'Key ids', '#Keys', '#Unusable', 'Loaded', 'Refresh', 'Usable until', 'Failing'],
      rows,
      'No key set is needed.',
    ),
    true,
  )
}

/** The configured clients, without their secrets. */
export function clientsSection({ broker, at }: PageStatus): Html {
  const rows = broker.clients.map(({ name, clientId, issuer, scope, token, lastIssuedAt, outage }) => [
    name,
    code(clientId),
    issuer,
    code(scope),
    token && html`${token.stale && badge('warning', 'stale')} ${until(token.expiresAt, at, 'expired')}`,
    until(token?.refreshAt, at, 'with the next use'),
    ago(lastIssuedAt, at),
    outage && outageText(outage, at),
  ])
  return section(
    'clients',
    'Clients',
    table(
      'Configured clients and their cached tokens',
      ['Name', 'Client id', 'Issuer', 'Scope', 'Token expires', 'Next refresh', 'Last token', 'Last error'],
      rows,
      'No client is configured: callers bring their own credentials.',
    ),
    true,
  )
}

function outageText(outage: OutageStatus, at: number): Html {
  const { since, until: end, lastFailure } = outage
  const state =
    end === undefined
      ? html`${badge('critical', 'failing')} for ${elapsedText(at - since)}`
      : html`${badge('good', 'over')} ${ago(end, at)}`
  return html`${state}: ${failureText(lastFailure)}`
}

function failureText({ message, cause }: FailureStatus): string {
  return `${message}${cause === undefined ? '' : ` (${cause})`}`
}

function failing(
  { isLoading, outage }: { readonly isLoading: boolean; readonly outage: OutageStatus | undefined },
  at: number,
): HtmlPart {
  if (outage !== undefined && outage.until === undefined) {
    return html`${badge('critical', 'failing')} for ${elapsedText(at - outage.since)}`
  }
  return isLoading ? 'loading' : 'when needed'
}

function skewText(skewMs: number): string {
  return `${(Math.abs(skewMs) / 1_000).toFixed(1)} s ${skewMs > 0 ? 'ahead' : 'behind'}`
}
