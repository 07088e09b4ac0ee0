import { type ApiServer, createCertificateAuthority } from '@broker/testing'
import type { KubernetesIssuerOptions } from '../../src/kubernetes/index.ts'
import { kubernetesIssuer } from '../../src/kubernetes/index.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { createMount, type ServiceAccountMount } from './service-account-mount.ts'

/** The name under which the broker runs in its cluster. */
export const brokerAccount = { namespace: 'broker', name: 'dex-token-broker' } as const
export const nightly = { namespace: 'jobs', name: 'nightly', audiences: ['dex-token-broker'] } as const

/** A clock that starts now and can be moved: real API servers issue tokens by the real time. */
export class MovableClock {
  #offset = 0
  wall = (): number => Date.now() + this.#offset
  monotonic = (): number => performance.now() + this.#offset
  advance(ms: number): void {
    this.#offset += ms
  }
}

export interface ClusterGate extends AsyncDisposable {
  readonly broker: TokenBroker
  readonly clock: MovableClock
  readonly log: RecordingLogger
  readonly mount: ServiceAccountMount
}

/** A broker as a pod of the cluster: its gate admits the cluster's service accounts. */
export async function startClusterGate(
  server: ApiServer,
  options: Partial<KubernetesIssuerOptions> = {},
  brokerOptions: Partial<TokenBrokerOptions> = {},
): Promise<ClusterGate> {
  const clock = new MovableClock()
  const log = new RecordingLogger()
  const mount = await createMount({ token: await server.requestToken(brokerAccount), ca: server.caCert })
  const { caFile, tokenFile } = mount
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.example.com/token',
    issuers: [
      kubernetesIssuer({
        name: 'cluster',
        audiences: ['dex-token-broker'],
        server: server.url,
        caFile,
        tokenFile,
        ...options,
      }),
    ],
    clock,
    logger: log,
    ...brokerOptions,
  })
  return {
    broker,
    clock,
    log,
    mount,
    async [Symbol.asyncDispose]() {
      await broker.close()
      await mount[Symbol.asyncDispose]()
    },
  }
}

/** The certificate of a CA that nobody uses. */
export const otherCa = createCertificateAuthority('Other CA').cert
