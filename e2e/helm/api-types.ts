import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** Where the type of each kind is. Envoy Gateway has none on npm: agreement.test.ts compares its policies. */
const modules: Readonly<Record<string, string>> = {
  BackendTLSPolicy: '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1',
  Certificate: '@kubernetes-models/cert-manager/cert-manager.io/v1',
  ConfigMap: 'kubernetes-models/v1',
  Deployment: 'kubernetes-models/apps/v1',
  ExternalSecret: '@kubernetes-models/external-secrets/external-secrets.io/v1',
  HorizontalPodAutoscaler: 'kubernetes-models/autoscaling/v2',
  NetworkPolicy: 'kubernetes-models/networking.k8s.io/v1',
  Pod: 'kubernetes-models/v1',
  PodDisruptionBudget: 'kubernetes-models/policy/v1',
  PodMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  PrometheusRule: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  Service: 'kubernetes-models/v1',
  ServiceAccount: 'kubernetes-models/v1',
  ServiceMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
}
const untyped = ['SecurityPolicy']

/** Not the settings of this suite; `types` is empty. */
const compilerOptions =
  '--ignoreConfig --noEmit --strict --skipLibCheck --module nodenext --target esnext --types'

/**
 * What is wrong with objects by the types of their APIs: unknown fields, missing ones, and values of a wrong type. Empty when
 * nothing is. The TypeScript compiler judges a module that has each of them as a literal.
 */
export async function apiTypeFaults(objects: readonly KubernetesObject[]): Promise<string> {
  // Below this package, so that the compiler finds the types.
  const folder = mkdtempSync(fileURLToPath(new URL('../node_modules/.api-objects-', import.meta.url)))
  try {
    const file = join(folder, 'objects.ts')
    writeFileSync(file, typedModule(objects))
    const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
    const { stdout, stderr, exitCode } = await run(tsc, [...compilerOptions.split(' '), '', file])
    return exitCode === 0 ? '' : stdout + stderr
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Equal objects are in it once. */
function typedModule(objects: readonly KubernetesObject[]): string {
  const constants = new Set<string>()
  const imports = new Set<string>()
  for (const object of objects.filter(({ kind }) => !untyped.includes(kind))) {
    const module = modules[object.kind]
    if (module === undefined) throw new Error(`the type of a ${object.kind} is not known`)
    imports.add(`import type { I${object.kind} } from '${module}'`)
    constants.add(`${JSON.stringify(object)} satisfies I${object.kind}`)
  }
  const declarations = [...constants].map((constant, index) => `export const o${index} = ${constant}`)
  return [...imports, ...declarations, ''].join('\n')
}
