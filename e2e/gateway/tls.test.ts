import { chartToolNeed, createCertificateAuthority, type TlsIdentity } from '@broker/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { KubernetesObject } from '../helm/kubernetes-object.ts'
import { caller, type Surroundings, startSurroundings } from '../helm/running/scene.ts'
import { describeWithEnvoyGateway } from './envoy-gateway.ts'
import { gatewayNamespace } from './gateway-objects.ts'
import { type ProtectedRoutes, startProtectedRoutes } from './protected-routes.ts'
import { chartRelease, manifestsRelease, type Release } from './releases.ts'

const authority = createCertificateAuthority()
const envoyUri = 'spiffe://cluster.local/ns/envoy-gateway-system/sa/envoy'

const mutual = {
  enabled: true,
  requireClientCertificate: true,
  clientSans: [envoyUri],
  certificate: { create: true, issuerRef: { name: 'internal-ca' } },
  backendTlsPolicy: { enabled: true, caConfigMap: 'internal-ca' },
}
const chartWith = (protocol: 'http' | 'grpc', suffix: string, tls: object) =>
  chartRelease('header', protocol, { suffix, more: () => ({ tls }) })
const releases: readonly Release[] = [
  chartWith('http', '-tls', mutual),
  chartWith('grpc', '-tls', mutual),
  manifestsRelease('header', 'security-policy-1.8.yaml', ['tls']),
  manifestsRelease('header', 'security-policy-grpc.yaml', ['tls']),
]
const ofOtherEnvoys: readonly Release[] = (['http', 'grpc'] as const).map(protocol =>
  chartWith(protocol, '-other-envoy', {
    ...mutual,
    clientSans: ['spiffe://cluster.local/ns/other/sa/envoy'],
  }),
)
const ofAnotherAuthority = chartWith('http', '-other-authority', mutual)

const files = ({ cert, key }: TlsIdentity) => ({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert })

/** The Secret of Envoy's own certificate. */
function envoySecret(): KubernetesObject {
  const data = Object.entries(files(authority.issueFor({ uris: [envoyUri] })))
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'envoy', namespace: gatewayNamespace },
    data: Object.fromEntries(data.map(([name, text]) => [name, Buffer.from(text).toString('base64')])),
  }
}

describeWithEnvoyGateway(
  'Envoy Gateway with TLS to the broker',
  () => {
    let scene: Surroundings
    let routes: ProtectedRoutes
    beforeAll(async () => {
      scene = await startSurroundings()
      const names = [...releases, ...ofOtherEnvoys, ofAnotherAuthority].map(
        ({ namespace }) => `broker-dex-token-broker.${namespace}.svc`,
      )
      const own = files(authority.issue('dex-token-broker.my-app.svc', ...names))
      const authorityOf = (namespace: string): KubernetesObject => {
        const { cert } = namespace === ofAnotherAuthority.namespace ? createCertificateAuthority() : authority
        const metadata = { name: 'internal-ca', namespace }
        return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': cert } }
      }
      routes = await startProtectedRoutes({
        releases: [...releases, ...ofOtherEnvoys, ofAnotherAuthority],
        scene,
        moreSecrets: { 'broker-dex-token-broker-tls': own, 'dex-token-broker-tls': own },
        moreObjects: namespace => [authorityOf(namespace)],
        proxy: {
          backendTLS: {
            clientCertificateRef: { kind: 'Secret', name: 'envoy', namespace: gatewayNamespace },
          },
        },
        atGateway: [envoySecret()],
      })
    }, 240_000)
    afterEach(() => scene.backend.clear())
    afterAll(async () => {
      await routes?.[Symbol.asyncDispose]()
      await scene?.[Symbol.asyncDispose]()
    }, 60_000)

    const headers = { 'x-client-id': caller.id, 'x-client-secret': caller.secret }

    test.for(releases)('checks with $name', async release => {
      expect(await routes.route(release).ask({ headers })).toMatchObject({ status: 200 })
      expect(scene.backend.requests.map(({ tokenAudience }) => tokenAudience)).toEqual([caller.id])
      expect(await routes.route(release).ask({})).toMatchObject({ status: 401 })
    })

    test.for(ofOtherEnvoys)('is refused where $name expects another name', async release => {
      expect(await routes.route(release).ask({ headers })).toMatchObject({ status: 503, body: '' })
      expect(scene.backend.requests).toEqual([])
    })

    test('gives no credentials to a broker with a certificate of another authority', async () => {
      const route = routes.route(ofAnotherAuthority)
      expect(await route.ask({ headers })).toMatchObject({ status: 503, body: '' })
      expect(scene.backend.requests).toEqual([])
      expect(await route.broker.metric('dex_token_broker_checks_total')).toBe(0)
    })
  },
  { ...chartToolNeed('HELM_BIN'), ...chartToolNeed('KUSTOMIZE_BIN') },
)
