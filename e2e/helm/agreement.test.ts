import { chartToolNeed } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { expect, test } from 'vitest'
import { rendered } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import { kustomized, kustomizeNeed } from './kustomize.ts'
import { objectDifferences } from './object-differences.ts'

const needsBoth = needs({ ...kustomizeNeed, ...chartToolNeed('HELM_BIN') })
const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'my-api' }]

/** Values with which the chart must render what the manifests have, by their folder. */
const sameValues = {
  'header-mode': { dex: { issuer: 'https://dex.example.com/dex' } },
  'gate-mode': {
    mode: 'gate',
    dex: { issuer: 'https://dex.example.com/dex' },
    gate: {
      audiences: ['my-service'],
      issuer: 'https://auth.example.com',
      jwksUrl: 'https://auth.example.com/.well-known/jwks.json',
    },
    client: { id: 'dex-client', existingSecret: 'dex-token-broker', scope: 'openid email profile groups' },
  },
}
const withTls = {
  enabled: true,
  certificate: { create: true, issuerRef: { kind: 'ClusterIssuer', name: 'internal-ca' } },
  backendTlsPolicy: { enabled: true, caConfigMap: 'internal-ca' },
}
const withStore = {
  url: 'valkey://dex-token-broker-store:6379',
  existingSecret: 'dex-token-broker-store',
  username: 'dex-token-broker',
}

const pod = 'Deployment dex-token-broker.spec.template.spec'
const container = `${pod}.containers.dex-token-broker`
/** The chart pulls the image of its version, and names the policy that is the default. */
const ofTheImage = [
  `${container}.image: "ghcr.io/OWNER/dex-token-broker:0.1.0" -> "ghcr.io/OWNER/dex-token-broker:<appVersion>"`,
  `${container}.imagePullPolicy: nothing -> "IfNotPresent"`,
]
/** Here for every pod, in the manifests where a file of a Secret is. Without effect on a pod that has none. */
const ofTheGroup = [`${pod}.securityContext.fsGroup: nothing -> 65532`]
/** The name of the key is a value of the chart. */
const ofTheKey = [
  `${pod}.volumes.secrets.secret.items: nothing -> [{"key":"client-secret","path":"client-secret"}]`,
]

/** `[folder, protocol, with the components tls and shared-store, what may differ]` */
const variants = [
  ['header-mode', 'http', false, [...ofTheImage, ...ofTheGroup]],
  ['header-mode', 'grpc', false, [...ofTheImage, ...ofTheGroup]],
  ['gate-mode', 'http', false, [...ofTheImage, ...ofTheKey]],
  ['gate-mode', 'grpc', false, [...ofTheImage, ...ofTheKey]],
  ['header-mode', 'http', true, ofTheImage],
  ['gate-mode', 'grpc', true, [...ofTheImage, ...ofTheKey]],
] as const

test.for(variants)(
  '%s over %s, with TLS and store: %s: the chart renders what the manifests have, but for what is listed',
  needsBoth,
  async ([folder, protocol, withComponents, intended]) => {
    const components = withComponents ? ['tls', 'shared-store'] : []
    const policy = protocol === 'http' ? 'security-policy-1.8.yaml' : 'security-policy-grpc.yaml'
    const manifests = await kustomized([folder], components, policy)
    const release = await rendered({
      ...sameValues[folder],
      fullnameOverride: 'dex-token-broker',
      securityPolicy: { enabled: true, protocol, targetRefs },
      ...(withComponents && { tls: withTls, sharedStore: withStore }),
    })
    const differences = objectDifferences(comparable(manifests), comparable(release))
    expect(differences.sort()).toEqual([...intended].sort())
  },
)

/** By kind and name, without what names a release. */
function comparable(objects: readonly KubernetesObject[]): Readonly<Record<string, unknown>> {
  // The chart brings no store, and the manifests no test.
  const compared = objects.filter(({ kind, metadata }) => kind !== 'Pod' && !metadata.name.endsWith('-store'))
  return Object.fromEntries(
    compared.map(object => [`${object.kind} ${object.metadata.name}`, withoutRelease(object)]),
  )
}

const ofTheRelease = /^(app\.kubernetes\.io\/(instance|version|managed-by)|helm\.sh\/chart)$/

function withoutRelease(object: KubernetesObject): unknown {
  const text = JSON.stringify(object, (key, value) => (ofTheRelease.test(key) ? undefined : value))
  // Labels of an object select nothing, and the manifests leave the namespace to an overlay.
  const { metadata: _, ...rest } = JSON.parse(text) as KubernetesObject
  const version = object.metadata.labels?.['app.kubernetes.io/version']
  const kept = JSON.stringify(rest)
  return JSON.parse(version === undefined ? kept : kept.replace(`:${version}"`, ':<appVersion>"'))
}
