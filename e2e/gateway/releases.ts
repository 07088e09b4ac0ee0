import type { CheckProtocol } from '@broker/testing'
import { helm, objectsIn } from '../helm/helm.ts'
import type { KubernetesObject } from '../helm/kubernetes-object.ts'
import { exampleOverlay, type PolicyFile } from '../helm/kustomize.ts'
import type { Surroundings } from '../helm/running/scene.ts'
import { environmentHere, type Mode, valuesHere } from '../helm/running/values-here.ts'

type Environment = Readonly<Record<string, string>>

/** A broker and its policy, alone in a namespace. */
export interface Release {
  readonly name: string
  readonly namespace: string
  readonly mode: Mode
  readonly protocol: CheckProtocol
  /** The client's status when the broker answers 5xx over HTTP, or not at all. Default: 503. */
  readonly statusOnError?: number
  objects(scene: Surroundings): Promise<readonly KubernetesObject[]>
  /** The variables of its pod, with the addresses of this machine. */
  environment(env: Environment, scene: Surroundings): Environment
}

type Values = Readonly<Record<string, unknown>>

/** A release of the chart; `more` gives further values, or others in place of the mode's. */
export function chartRelease(
  mode: Mode,
  protocol: CheckProtocol,
  { suffix = '', more = () => ({}) }: { suffix?: string; more?: (values: Values) => Values } = {},
): Release {
  const namespace = `chart-${mode}-${protocol}${suffix}`
  return {
    name: `the chart in mode ${mode} over ${protocol}`,
    ...{ namespace, mode, protocol },
    async objects(scene) {
      const values = valuesHere(mode, scene)
      const securityPolicy = { ...(values['securityPolicy'] as object), protocol }
      const withPolicy = { ...values, securityPolicy }
      const args = ['template', 'broker', '--namespace', namespace]
      const { exitCode, stdout, stderr } = await helm(args, { ...withPolicy, ...more(withPolicy) })
      if (exitCode !== 0) throw new Error(stderr)
      return objectsIn(stdout)
    },
    environment: env => env,
  }
}

/** The example overlay of the manifests. */
export function manifestsRelease(
  mode: 'header' | 'gate',
  policy: PolicyFile,
  components: readonly string[] = [],
): Release {
  const protocol = policy.includes('grpc') ? 'grpc' : 'http'
  const variant = policy.replace(/^security-policy-(.*)\.yaml$/, '$1').replace('.', '-')
  const namespace = ['manifests', mode, variant, ...components].join('-')
  return {
    name: `${policy} of the manifests in mode ${mode}`,
    ...{ namespace, mode, protocol },
    // 1.7 has no statusOnError.
    ...(policy.includes('1.7') && { statusOnError: 403 }),
    objects: () => exampleOverlay(namespace, mode, components, policy),
    environment: environmentHere,
  }
}
