import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { chartFolder } from './helm.ts'

type Settings = Readonly<Record<string, unknown>>

export const modes = ['header', 'gate', 'rules'] as const

/** The values in `examples/` for a mode. */
export function exampleValues(mode: (typeof modes)[number]): Settings {
  return parse(readFileSync(join(chartFolder, `examples/values-${mode}.yaml`), 'utf8')) as Settings
}

const tls = {
  enabled: true,
  requireClientCertificate: true,
  clientSans: ['spiffe://cluster.local/ns/envoy-gateway-system/sa/envoy'],
  certificate: { create: true, issuerRef: { kind: 'ClusterIssuer', name: 'internal-ca' } },
  backendTlsPolicy: { enabled: true, caConfigMap: 'internal-ca' },
}
const sharedStore = {
  url: 'valkeys://valkey.my-app.svc:6379',
  existingSecret: 'dex-token-broker-store',
  username: 'dex-token-broker',
  caKey: 'ca.crt',
}

/** Values of releases, by what is special about each: every mode, protocol, TLS, store and monitor, then the rest. */
export function releaseValues(): ReadonlyMap<string, Settings> {
  const releases = new Map<string, Settings>()
  for (const mode of modes)
    for (const protocol of ['http', 'grpc'])
      for (const withTls of [false, true])
        for (const withStore of [false, true])
          for (const monitor of ['none', 'serviceMonitor', 'podMonitor']) {
            const example = exampleValues(mode)
            const parts = [mode, protocol, withTls && 'tls', withStore && 'store', monitor].filter(Boolean)
            releases.set(parts.join(' '), {
              ...example,
              securityPolicy: { ...(example['securityPolicy'] as object), protocol },
              ...(withTls && { tls }),
              ...(withStore && { sharedStore }),
              ...(monitor !== 'none' && { [monitor]: { enabled: true, labels: { release: 'prometheus' } } }),
            })
          }
  releases.set('every other value', everyOtherValue)
  return releases
}

const everyOtherValue: Settings = {
  dex: {
    issuer: 'http://dex.dex.svc:5556/dex',
    tokenUrl: 'http://dex.dex.svc:5556/dex/token',
    jwksUrl: 'http://dex.dex.svc:5556/dex/keys',
    allowInsecureUrl: true,
    ca: { configMap: 'internal-ca' },
  },
  allowUnauthenticatedCallers: true,
  client: {
    id: 'orders',
    existingSecret: 'orders',
    secretKey: 'secret',
    scope: 'groups',
    audiences: ['a', 'b'],
  },
  image: {
    repository: 'registry.example.com/broker',
    digest: `sha256:${'0'.repeat(64)}`,
    pullPolicy: 'Always',
  },
  imagePullSecrets: [{ name: 'registry' }],
  fullnameOverride: 'tokens',
  commonLabels: { team: 'platform' },
  serviceAccount: { create: true, name: 'tokens', annotations: { 'example.com/a': 'b' } },
  service: { annotations: { 'example.com/a': 'b' } },
  autoscaling: { enabled: true },
  prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
  dashboards: { enabled: true },
  podAnnotations: { 'example.com/a': 'b' },
  podLabels: { 'example.com/c': 'd' },
  nodeSelector: { 'kubernetes.io/arch': 'arm64' },
  tolerations: [{ key: 'gateway', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { a: 'b' } } },
      ],
    },
  },
  priorityClassName: 'system-cluster-critical',
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { a: 'b' } },
    },
  ],
  extraEnv: [
    { name: 'LOG_LEVEL', value: 'DEBUG' },
    { name: 'OTHER_SECRET', valueFrom: { secretKeyRef: { name: 'other', key: 'secret' } } },
  ],
  extraEnvFrom: [{ secretRef: { name: 'variables' } }],
  extraVolumes: [{ name: 'cache', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'cache', mountPath: '/cache' }],
  secretMounts: ['others'],
}
