import { randomBytes } from 'node:crypto'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import {
  type BrokerProcess,
  type CheckProtocol,
  createCertificateAuthority,
  type EnvoyProcess,
  envoyBootstrap,
  envoyTls,
  freePort,
  listening,
  MountedVolume,
  type PrometheusServer,
  type RedisServer,
  startBroker,
  startEnvoy,
  startPrometheus,
  startRedis,
  type TlsIdentity,
} from '@broker/testing'
import { type CallersIssuer, startCallersIssuer } from '../harness/callers-issuer.ts'
import { brokerName } from '../harness/tls-system.ts'
import { requireEnvoy } from '../harness/with-envoy.ts'
import { shortRules } from './alert-rules.ts'
import { ownClients } from './callers.ts'

export const job = 'dex-token-broker'

const authority = createCertificateAuthority()
const dayMs = 86_400_000

/** The clients that the broker has the secrets of, as Dex knows them at the start. */
const clients = [
  { id: 'reports', secret: 'reports-secret' },
  { id: 'billing', secret: 'billing-secret' },
]

/** Prometheus with the shipped alerts, a broker with everything that has metrics, and what it needs. */
export interface MonitoredSystem extends AsyncDisposable {
  readonly dex: DevDex
  readonly callers: CallersIssuer
  readonly redis: RedisServer
  readonly broker: BrokerProcess
  /** An Envoy that asks over each protocol. */
  readonly envoys: Readonly<Record<CheckProtocol, EnvoyProcess>>
  readonly prometheus: PrometheusServer
  /** A client certificate that the broker accepts, and its CA. */
  readonly tls: TlsIdentity & { readonly ca: string }
  /** Sets Dex's clock off. */
  setClock(offsetMs: number): void
  /** Replaces files of the broker. */
  changeFiles(files: Readonly<Record<string, string>>): void
  /** The certificate of the listeners, expiring after so many days. */
  certificate(days: number): Readonly<Record<'tls.crt' | 'tls.key', string>>
  /** Another replica, with its own key of the shared store, on the port of the second target. */
  startReplica(): Promise<BrokerProcess>
}

/** Starts it all; discovery of Dex fails at first. */
export async function startMonitoredSystem(): Promise<MonitoredSystem> {
  await using stack = new AsyncDisposableStack()
  let clockOffsetMs = 0
  const callers = stack.use(await startCallersIssuer())
  const dex = stack.use(
    await startDevDex({
      clients: [...clients, ...ownClients],
      connectors: [{ type: 'oidc', id: 'staff', issuer: callers.issuer }],
      idTokensMs: 10_000,
      now: () => Date.now() + clockOffsetMs,
    }),
  )
  dex.setFault('discovery', { kind: 'reset' })
  const redis = stack.use(await startRedis())
  const certificate = (days: number) => {
    const validTo = new Date(Date.now() + days * dayMs)
    const { cert, key } = authority.issueFor({ hosts: [brokerName], validTo })
    return { 'tls.crt': cert, 'tls.key': key }
  }
  const files = {
    ...certificate(90),
    'ca.crt': authority.cert,
    reports: 'reports-secret',
    billing: 'billing-secret',
    keys: randomBytes(32).toString('base64'),
    'config.yaml': configuration(callers),
  }
  const volume = stack.use(new MountedVolume(files))
  const environment = {
    DEX_ISSUER: dex.issuer,
    CONFIG_FILE: volume.file('config.yaml'),
    TLS_CERT_FILE: volume.file('tls.crt'),
    TLS_KEY_FILE: volume.file('tls.key'),
    TLS_CLIENT_CA_FILE: volume.file('ca.crt'),
    SHARED_STORE_URL: `redis://127.0.0.1:${redis.port}`,
    SHARED_STORE_KEY_FILE: volume.file('keys'),
    // Tokens live 10 s here.
    EXPIRY_SAFETY_MARGIN: '4s',
    NEGATIVE_CACHE_TTL: '1s',
    JWKS_MAX_AGE: '2s',
    JWKS_MAX_STALE: '8s',
    CACHE_MAX_ENTRIES: '10',
    MAX_WAITING_CHECKS: '30',
    DEX_MAX_CONNECTIONS: '2',
  }
  const replicaPort = await freePort()
  const broker = stack.use(await startBroker(environment, { port: 0, adminPort: 0, grpcPort: 0 }))
  const backend = stack.use(await listening((_, response) => response.end()))
  const identity = authority.issue('envoy')
  const envoyFiles = stack.use(
    new MountedVolume({ 'tls.crt': identity.cert, 'tls.key': identity.key, 'ca.crt': authority.cert }),
  )
  const startWith = async (protocol: CheckProtocol) =>
    stack.use(
      await startEnvoy(
        requireEnvoy(),
        envoyBootstrap({
          protocol,
          brokers: [broker],
          backendPort: backend.port,
          listeners: { ingress: () => {} },
          changeBrokerCluster: envoyTls({ protocol, folder: envoyFiles.folder, name: brokerName }),
        }),
      ),
    )
  const envoys = { http: await startWith('http'), grpc: await startWith('grpc') }
  const prometheus = stack.use(
    await startPrometheus({
      targets: [broker.adminPort, replicaPort],
      job,
      labels: { namespace: 'orders' },
      rules: shortRules,
    }),
  )
  const resources = stack.move()
  return {
    dex,
    callers,
    redis,
    broker,
    envoys,
    prometheus,
    tls: { ca: authority.cert, ...authority.issue('client') },
    setClock(offsetMs) {
      clockOffsetMs = offsetMs
    },
    changeFiles: changed => volume.swap({ ...files, ...changed }),
    certificate,
    startReplica: () => {
      const key = new MountedVolume({ keys: randomBytes(32).toString('base64') })
      resources.use(key)
      return startBroker(
        { ...environment, SHARED_STORE_KEY_FILE: key.file('keys') },
        { port: 0, adminPort: replicaPort },
      )
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function configuration({ issuer }: CallersIssuer): string {
  return `
issuers:
  - { name: callers, issuer: '${issuer}', audiences: [orders] }
clients:
  - { name: reports, clientId: reports, clientSecret: { file: reports } }
  - { name: billing, clientId: billing, clientSecret: { file: billing } }
rules:
  - { name: own clients, when: 'caller.subject == "own"', client: caller }
  - { name: billing, when: 'caller.subject == "billing"', client: billing }
  - { name: users, when: 'caller.subject.startsWith("user-")', exchange: { connectorId: staff, client: reports, scope: openid email } }
  - { name: reports, when: 'true', client: reports }
`
}
