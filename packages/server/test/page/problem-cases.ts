import type { PageFacts } from '../../src/admin/page/page-status.ts'
import type { Problem } from '../../src/admin/page/problem.ts'
import type { CertificateUse } from '../../src/tls/certificate-in-use.ts'
import {
  at,
  certificate,
  circuit,
  healthy,
  issuer,
  keySet,
  minute,
  outage,
  withActivity,
  withBroker,
  withDex,
} from './page-facts.ts'

export const [client] = healthy.broker.clients as [PageFacts['broker']['clients'][number]]
const endpoint = issuer.tokenEndpoint as NonNullable<typeof issuer.tokenEndpoint>
export const since = at - 3 * minute
const rejected = {
  code: 'client_misconfigured',
  message: 'the configured client was rejected',
  cause: undefined,
} as const
const hint = 'check that Dex is running, then the host and the port in DEX_ISSUER: the connection was refused'

/** The healthy facts with another circuit of the clients that Dex has accepted. */
export function withCircuit(accepted: Partial<typeof circuit>): PageFacts {
  const circuits = { ...endpoint.circuits, accepted: { ...circuit, ...accepted } }
  return withDex({ tokenEndpoint: { ...endpoint, circuits } })
}

/** What is wrong, the facts, and the one problem that they make. */
export const problemCases: readonly (readonly [string, PageFacts, Partial<Problem>])[] = [
  [
    'an open circuit',
    withCircuit({ state: 'open', since: at - minute, outage: outage() }),
    {
      kind: 'circuit-open',
      severity: 'critical',
      since,
      action: hint,
      summary:
        'No new tokens of Dex for clients that Dex has accepted before: the circuit is open: the token endpoint is unavailable (ECONNREFUSED)',
    },
  ],
  [
    'token requests that fail while cached tokens last',
    withCircuit({ outage: outage() }),
    { kind: 'token-requests-failing', severity: 'warning', since, action: hint },
  ],
  [
    'token requests that fail for callers',
    withCircuit({ outage: outage({ hint: undefined }, 3) }),
    {
      kind: 'token-requests-failing',
      severity: 'critical',
      action: 'run dex-token-broker doctor on this host, and check the logs of Dex',
    },
  ],
  [
    'discovery that fails before it ever succeeded',
    withDex({ discovery: { ...healthyDiscovery(), loadedAt: undefined, outage: outage() } }),
    { kind: 'discovery-failing', severity: 'critical', since, action: hint },
  ],
  [
    'a key set that cannot be refreshed',
    withDex({ keySet: { ...keySet, outage: outage() } }),
    { kind: 'key-set-failing', severity: 'warning', since },
  ],
  [
    'a key set that is too old',
    withDex({ keySet: { ...keySet, usableUntil: at - 1, outage: outage() } }),
    { kind: 'key-set-failing', severity: 'critical', since },
  ],
  [
    'a key set that was never loaded',
    withDex({ keySet: { ...keySet, loadedAt: undefined, keys: 0, outage: outage() } }),
    { kind: 'key-set-failing', severity: 'critical', since },
  ],
  [
    'a key set without a usable key',
    withDex({ keySet: { ...keySet, keys: 0, kids: [] } }),
    { kind: 'key-set-failing', severity: 'critical', summary: 'The key set of Dex has no usable key' },
  ],
  [
    'a client that Dex refuses',
    withBroker({
      clients: [{ ...client, token: undefined, outage: outage(rejected) }],
    }),
    {
      kind: 'client-refused',
      severity: 'critical',
      since,
      summary: 'Dex refuses the client reports: the configured client was rejected',
    },
  ],
  [
    'a client that Dex refuses while its token lasts',
    withBroker({ clients: [{ ...client, outage: outage(rejected) }] }),
    {
      kind: 'client-refused',
      severity: 'warning',
      summary:
        'Dex refuses the client reports: the configured client was rejected; its cached token is still served',
    },
  ],
  [
    'the circuit of one client',
    withBroker({
      clients: [{ ...client, token: undefined, circuit: { ...circuit, state: 'open' }, outage: outage() }],
    }),
    { kind: 'circuit-open', severity: 'critical', since },
  ],
  [
    'a clock that is a little off',
    withDex({ clockSkew: { skewMs: -12_000, measuredAt: at } }),
    {
      kind: 'clock-skew',
      severity: 'warning',
      summary: 'The clock of this host is at least 12 s behind the clock of Dex',
    },
  ],
  [
    'a clock that is far off',
    withDex({ clockSkew: { skewMs: 30_000, measuredAt: at } }),
    {
      kind: 'clock-skew',
      severity: 'critical',
      summary: 'The clock of this host is at least 30 s ahead of the clock of Dex',
    },
  ],
  [
    'a shared store that fails',
    withBroker({
      sharedStore: { circuit: 'open', nextProbeAt: at, outage: { ...outage(), cause: 'timeout' } },
    }),
    { kind: 'shared-store-failing', severity: 'warning', since },
  ],
  [
    'a configuration that is likely a mistake',
    {
      ...healthy,
      configWarnings: [
        'JWT_AUDIENC is not a variable of this broker and is ignored.',
        'The certificate in TLS_CERT_FILE expires at 2030-01-05T12:00:00Z. Renew it before that.',
      ],
    },
    {
      kind: 'configuration-warning',
      severity: 'warning',
      since: at - 60 * minute,
      summary: 'JWT_AUDIENC is not a variable of this broker and is ignored.',
    },
  ],
  [
    'an Envoy that cannot connect',
    {
      ...withActivity({
        checks: {},
        jwtRefusals: {},
        tlsRefusals: { no_tls: 1, client_certificate_expired: 8 },
        tlsRefusedSince: since,
      }),
      errors: [
        {
          level: 'warn',
          message: 'TLS connections refused',
          code: undefined,
          reason: 'client_certificate_expired',
          hint: 'renew the client certificate',
          client: undefined,
          cause: 'CERT_HAS_EXPIRED',
          url: undefined,
          faults: [],
          count: 8,
          firstAt: at,
          lastAt: at,
        },
      ],
    },
    {
      kind: 'tls-connections-refused',
      severity: 'critical',
      since,
      summary: 'TLS connections were refused in the last 5 min: client_certificate_expired 8, no_tls 1',
      action: 'renew the client certificate',
    },
  ],
  [
    'a scanner without TLS while checks pass',
    withActivity({ tlsRefusals: { no_tls: 1 }, tlsRefusedSince: since }),
    { kind: 'tls-connections-refused', severity: 'warning' },
  ],
  [
    'an Envoy without path_prefix',
    withActivity({ checks: {}, jwtRefusals: {}, unknownTargets: 7, astraySince: since }),
    {
      kind: 'requests-outside-check',
      severity: 'critical',
      since,
      summary: '7 requests in the last 5 min came to the check listener outside /check, and got 404',
      action:
        'set path_prefix to /check in ext_authz of Envoy (path in a SecurityPolicy); let health checks ask for /healthz',
    },
  ],
  [
    'requests outside /check while others pass',
    withActivity({ unknownTargets: 1, astraySince: since }),
    { kind: 'requests-outside-check', severity: 'warning' },
  ],
  [
    'faults in the configuration files',
    {
      ...withActivity({ configFaults: 2, faultySince: since }),
      errors: [
        {
          level: 'error',
          message: 'configuration files have faults',
          code: undefined,
          reason: undefined,
          hint: undefined,
          client: undefined,
          cause: undefined,
          url: undefined,
          faults: ['config.yaml:3:5: unknown key'],
          count: 1,
          firstAt: at,
          lastAt: at,
        },
      ],
    },
    {
      kind: 'configuration-faulty',
      severity: 'warning',
      since,
      summary:
        'The configuration files have 2 faults; their last good content stays in effect: config.yaml:3:5: unknown key',
    },
  ],
  [
    'a certificate near its end, once for the listeners that share it',
    withCertificate({ validTo: at + 10 * 24 * 60 * minute }, ['check', 'grpc']),
    {
      kind: 'certificate-expiring',
      severity: 'warning',
      summary: 'The certificate of the check and gRPC listeners expires in 10 d',
      action: 'renew it and replace /etc/tls/tls.crt; the broker reads a changed file by itself',
    },
  ],
  [
    'a certificate that ends tomorrow',
    withCertificate({ validTo: at + 24 * 60 * minute }, ['admin']),
    {
      kind: 'certificate-expiring',
      severity: 'critical',
      summary: 'The certificate of the admin listener expires in 24 h',
    },
  ],
  [
    'a certificate past its end',
    withCertificate({ validTo: at - minute }),
    {
      kind: 'certificate-expiring',
      severity: 'critical',
      since: at - minute,
      summary: 'The certificate of the check listener has expired: callers refuse it',
    },
  ],
  [
    'a certificate before its begin',
    withCertificate({ validFrom: at + minute }, ['dex_client']),
    {
      kind: 'certificate-expiring',
      severity: 'critical',
      summary:
        'The client certificate for Dex is not valid before 2030-01-01 12:01:00 UTC: servers refuse it',
      action:
        'correct the clock of this host, or renew it and replace /etc/tls/tls.crt; the broker reads a changed file by itself',
    },
  ],
  [
    'a full cache that evicts',
    {
      ...withActivity({ evictions: 4 }),
      broker: {
        ...healthy.broker,
        caches: { ...healthy.broker.caches, tokens: { ...healthy.broker.caches.tokens, entries: 10 } },
      },
    },
    { kind: 'cache-full', severity: 'warning' },
  ],
  [
    'a late event loop',
    withActivity({ eventLoopLagMs: 240.4 }),
    { kind: 'event-loop-lag', severity: 'warning' },
  ],
  [
    'dropped log lines',
    withActivity({ droppedLines: 1 }),
    {
      kind: 'log-lines-dropped',
      severity: 'warning',
      summary: '1 log line dropped in the last 5 min: the reader of the log is too slow',
    },
  ],
  [
    'a broker that is not ready',
    { ...healthy, notReadyBecause: 'no key set loaded yet' },
    { kind: 'not-ready', severity: 'warning' },
  ],
  [
    'an Envoy that has been silent for long',
    withActivity({ lastCheckAt: at - 16 * minute }),
    {
      kind: 'no-checks',
      severity: 'warning',
      since: at - 16 * minute,
      summary: 'No check has arrived for 16 min',
    },
  ],
  [
    'an Envoy that never came',
    withActivity({ lastCheckAt: undefined, checks: {}, totalChecks: 0 }),
    { kind: 'no-checks', severity: 'warning', since: at - 60 * minute },
  ],
  [
    'everybody refused by the gate',
    withActivity({ checks: { invalid_token: 40 }, jwtRefusals: { audience: 40 }, refusedSince: since }),
    {
      kind: 'everybody-refused',
      severity: 'critical',
      since,
      summary: 'Nobody passes: 40 of 40 checks in the last 5 min were refused (invalid_token 40: audience)',
      action:
        'compare the JWT with the gate: dex-token-broker doctor --jwt-file FILE names the rule that refuses it',
    },
  ],
  [
    'everybody without credentials',
    withActivity({ checks: { missing_credentials: 9 }, jwtRefusals: {}, refusedSince: since }),
    {
      kind: 'everybody-refused',
      action:
        'forward the credential headers from Envoy: allowed_headers of ext_authz, headersToExtAuth in a SecurityPolicy',
    },
  ],
  [
    'internal failures',
    withActivity({ checks: { allow: 5, server_error: 1 }, failedSince: at - 1 }),
    { kind: 'checks-failing', severity: 'critical', action: 'read the stack in the log, and report it' },
  ],
  [
    'failures that are over',
    withActivity({ checks: { allow: 5, overloaded: 1 } }),
    { kind: 'checks-failing', severity: 'warning' },
  ],
]

function healthyDiscovery() {
  return issuer.discovery as NonNullable<typeof issuer.discovery>
}

function withCertificate(
  changes: Partial<typeof certificate>,
  users: readonly CertificateUse[] = ['check'],
): PageFacts {
  return { ...healthy, certificates: users.map(listener => ({ ...certificate, ...changes, listener })) }
}
