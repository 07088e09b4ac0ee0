import type { CircuitStatus, IssuerStatus, OutageStatus } from '@broker/core'
import type { PageFacts } from '../../src/admin/page/page-status.ts'
import type { CertificateInUse } from '../../src/tls/certificate-in-use.ts'

/** The moment of all facts. */
export const at = Date.parse('2030-01-01T12:00:00Z')
export const minute = 60_000

export const circuit: CircuitStatus = {
  state: 'closed',
  since: undefined,
  nextProbeAt: undefined,
  lastAnswerAt: at - 5_000,
  outage: undefined,
}

/** An outage that lasts for three minutes. */
export function outage(
  lastFailure: Partial<OutageStatus['lastFailure']> = {},
  failedLookups = 0,
): OutageStatus {
  return {
    since: at - 3 * minute,
    until: undefined,
    failedAttempts: 7,
    failedLookups,
    lastFailedAt: at - 1_000,
    lastFailure: {
      code: 'token_endpoint_unavailable',
      message: 'the token endpoint is unavailable',
      hint: 'check that Dex is running, then the host and the port in DEX_ISSUER: the connection was refused',
      cause: 'ECONNREFUSED',
      url: 'http://dex.example/token',
      ...lastFailure,
    },
  }
}

export const loaded = {
  url: 'http://dex.example/keys',
  loadedAt: at - minute,
  isLoading: false,
  nextAttemptAt: undefined,
  outage: undefined,
}

export const keySet: NonNullable<IssuerStatus['keySet']> = {
  ...loaded,
  keys: 1,
  kids: ['key-1'],
  unusable: [],
  refreshAt: at + minute,
  usableUntil: at + 60 * minute,
}

export const issuer: IssuerStatus = {
  name: 'own dex',
  issuer: 'http://dex.example',
  isOfCallers: true,
  discovery: loaded,
  tokenEndpoint: {
    url: 'http://dex.example/token',
    circuits: { accepted: circuit, unknown: circuit, exchange: circuit },
    running: 0,
    waiting: 0,
    maxRunning: 32,
  },
  keySet,
  keysOf: 'own dex',
  clockSkew: { skewMs: 0, measuredAt: at },
}

const cache = { entries: 3, maxEntries: 10, owners: 1, hits: 90, misses: 10, stale: 0, evictions: 0 }

/** A certificate with two months left. */
export const certificate: CertificateInUse = {
  listener: 'check',
  subject: 'CN=broker',
  file: '/etc/tls/tls.crt',
  validFrom: at - 30 * 24 * 60 * minute,
  validTo: at + 60 * 24 * 60 * minute,
}

/** A broker in which nothing is wrong. */
export const healthy: PageFacts = {
  at,
  startedAt: at - 60 * minute,
  replica: 'broker-7d9',
  version: '1.2.3',
  node: 'v26.0.0',
  notReadyBecause: undefined,
  broker: {
    at,
    issuers: [issuer],
    clients: [
      {
        name: 'reports',
        clientId: 'reports-id',
        issuer: 'own dex',
        scope: 'groups',
        token: {
          expiresAt: at + 60 * minute,
          usableUntil: at + 50 * minute,
          refreshAt: at + 40 * minute,
          stale: false,
        },
        lastIssuedAt: at - minute,
        circuit: undefined,
        outage: undefined,
      },
    ],
    caches: { tokens: cache, exchangedTokens: cache, verifiedJwts: { entries: 1, maxEntries: 4 } },
    work: { tokensInFlight: 0, waitingCallers: 0, maxWaitingCallers: 50_000 },
    sharedStore: { circuit: 'closed', nextProbeAt: undefined, outage: undefined },
  },
  configWarnings: [],
  activity: {
    spanMs: 5 * minute,
    checks: { allow: 100, invalid_token: 2 },
    jwtRefusals: { expired: 2 },
    durations: [
      { upToMs: 1, count: 101 },
      { upToMs: 5, count: 1 },
      { upToMs: undefined, count: 0 },
    ],
    lookups: { hits: 90, misses: 10 },
    evictions: 0,
    tlsRefusals: {},
    unknownTargets: 0,
    droppedLines: 0,
    eventLoopLagMs: 1,
    totalChecks: 1_000,
    configFaults: 0,
    configLoadedAt: at - 60 * minute,
    lastCheckAt: at - 1_000,
    refusedSince: undefined,
    failedSince: undefined,
    tlsRefusedSince: undefined,
    astraySince: undefined,
    faultySince: undefined,
  },
  certificates: [certificate],
  errors: [],
  configuration: 'DEX_ISSUER=http://dex.example\nSTATIC_CLIENT_SECRET=********\nJWKS_URL=',
}

/** The healthy facts with another broker. */
export function withBroker(changes: Partial<PageFacts['broker']>): PageFacts {
  return { ...healthy, broker: { ...healthy.broker, ...changes } }
}

/** The healthy facts with another Dex. */
export function withDex(changes: Partial<IssuerStatus>): PageFacts {
  return withBroker({ issuers: [{ ...issuer, ...changes }] })
}

/** The healthy facts with other activity. */
export function withActivity(changes: Partial<PageFacts['activity']>): PageFacts {
  return { ...healthy, activity: { ...healthy.activity, ...changes } }
}
