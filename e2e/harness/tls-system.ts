import { startDevDex } from '@broker/dev-dex'
import {
  type BrokerProcess,
  type CertificateAuthority,
  createCertificateAuthority,
  type EnvoyConfig,
  type EnvoyProcess,
  envoyBootstrap,
  envoyTls,
  MountedVolume,
  startBroker,
  startEnvoy,
  type TlsIdentity,
} from '@broker/testing'
import { anyPorts, protocol } from './protocol.ts'
import { type RecordingBackend, startBackend } from './recording-backend.ts'
import { requireEnvoy } from './with-envoy.ts'

/** The name in certificates of brokers. */
export const brokerName = 'dex-token-broker.my-app.svc'

type Environment = Readonly<Record<string, string>>
type DevDex = Awaited<ReturnType<typeof startDevDex>>

/** Envoy and a broker that speak mutual TLS, with everything around them. */
export interface TlsSystem extends AsyncDisposable {
  readonly dex: DevDex
  readonly backend: RecordingBackend
  readonly broker: BrokerProcess
  /** The broker's `tls.crt`, `tls.key`, `ca.crt` and `secret`. */
  readonly volume: MountedVolume
  readonly envoy: EnvoyProcess
}

export interface TlsSystemOptions {
  readonly authority?: CertificateAuthority
  /** Envoy's certificate. Default: a certificate of the authority. */
  readonly envoyIdentity?: TlsIdentity
  /** Authorities that Envoy trusts, PEM. Default: the authority. */
  readonly trusted?: string
  /** The broker's certificate. Default: one of the authority. */
  readonly brokerIdentity?: TlsIdentity
  readonly environment?: Environment | ((volume: MountedVolume) => Environment)
  /** Default: the backend that records. */
  readonly backendPort?: number
  readonly changeBrokerCluster?: (cluster: EnvoyConfig) => void
}

/** Starts one of each; the broker has a configured client, `reports`, whose secret is in the volume too. */
export async function startTlsSystem({
  authority = createCertificateAuthority(),
  envoyIdentity = authority.issue('envoy'),
  trusted = authority.cert,
  brokerIdentity = authority.issue(brokerName),
  environment = {},
  backendPort,
  changeBrokerCluster = () => {},
}: TlsSystemOptions = {}): Promise<TlsSystem> {
  await using stack = new AsyncDisposableStack()
  const dex = stack.use(await startDevDex({ clients: [{ id: 'reports', secret: 'reports-secret' }] }))
  const backend = stack.use(await startBackend(dex))
  const { cert, key } = brokerIdentity
  const volume = stack.use(
    new MountedVolume({
      'tls.crt': cert,
      'tls.key': key,
      'ca.crt': authority.cert,
      secret: 'reports-secret',
    }),
  )
  const ofEnvoy = stack.use(
    new MountedVolume({ 'tls.crt': envoyIdentity.cert, 'tls.key': envoyIdentity.key, 'ca.crt': trusted }),
  )
  const broker = stack.use(
    await startBroker(
      {
        DEX_TOKEN_URL: dex.tokenEndpoint,
        TLS_CERT_FILE: volume.file('tls.crt'),
        TLS_KEY_FILE: volume.file('tls.key'),
        TLS_CLIENT_CA_FILE: volume.file('ca.crt'),
        ...(typeof environment === 'function' ? environment(volume) : environment),
      },
      anyPorts,
    ),
  )
  const withTls = envoyTls({ protocol, folder: ofEnvoy.folder, name: brokerName })
  const bootstrap = envoyBootstrap({
    protocol,
    brokers: [broker],
    backendPort: backendPort ?? backend.port,
    listeners: { ingress: () => {} },
    changeBrokerCluster: cluster => {
      withTls(cluster)
      changeBrokerCluster(cluster)
    },
  })
  const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  const resources = stack.move()
  return { dex, backend, broker, volume, envoy, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
