import { type KubernetesObject, only } from '../helm/kubernetes-object.ts'

/** Ports of the processes in place of pods, by the name of the container's port. */
export type PortsHere = Readonly<Record<string, number>>

interface Reference {
  readonly kind?: string
  readonly name: string
  readonly port?: number
  readonly sectionName?: string
}

const backendKind = { group: 'gateway.envoyproxy.io', kind: 'Backend' }

/**
 * Changes the objects of a namespace where Envoy Gateway without a cluster demands it; everything else stays as it was rendered.
 *
 * | Change | Reason |
 * | --- | --- |
 * | only policies, routes, Gateways and their parts | it refuses kinds that it does not know, and its file provider has no use for pods |
 * | a `Backend` for each port of a `Service`, with the port of the process in place of the pod | the file provider does not keep Services |
 * | references to a `Service` name that `Backend` | the same |
 * | each object has its namespace | the file provider's default is not the release's |
 */
export function standaloneObjects(
  objects: readonly KubernetesObject[],
  namespace: string,
  ports: PortsHere,
): readonly KubernetesObject[] {
  const services = objects.filter(({ kind }) => kind === 'Service')
  const backends = services.flatMap(service => backendsOf(service, ports))
  const reference = (found: Reference): object => {
    if (found.kind !== undefined && found.kind !== 'Service') return found
    const service = only(
      services.filter(({ metadata }) => metadata.name === found.name),
      'Service',
    )
    const { port: wanted, sectionName, ...rest } = found
    const { port } = service['spec'].ports.find(
      (candidate: { readonly name: string; readonly port: number }) =>
        candidate.port === wanted || candidate.name === sectionName,
    )
    return { ...rest, ...backendKind, name: `${found.name}-${port}` }
  }
  return [...objects.filter(isOfGateway), ...backends].map(object => ({
    ...(withReferences(object, reference) as KubernetesObject),
    metadata: { ...object.metadata, namespace },
  }))
}

const isOfGateway = ({ apiVersion }: KubernetesObject) =>
  /^gateway\.(networking\.k8s|envoyproxy)\.io\//.test(apiVersion)

function backendsOf({ metadata, spec }: KubernetesObject, ports: PortsHere): readonly KubernetesObject[] {
  return spec.ports.map(
    ({ port, targetPort, appProtocol }: { port: number; targetPort: string; appProtocol?: string }) => ({
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'Backend',
      metadata: { name: `${metadata.name}-${port}` },
      spec: {
        endpoints: [{ ip: { address: '127.0.0.1', port: ports[targetPort] } }],
        ...(appProtocol === 'kubernetes.io/h2c' && { appProtocols: ['gateway.envoyproxy.io/h2c'] }),
      },
    }),
  )
}

/** Replaces every element of `backendRefs`, and of the `targetRefs` that name a Service. */
function withReferences(value: unknown, reference: (found: Reference) => object): unknown {
  if (Array.isArray(value)) return value.map(element => withReferences(element, reference))
  if (typeof value !== 'object' || value === null) return value
  const changed = Object.entries(value).map(([key, inner]) => {
    if (key === 'backendRefs') return [key, inner.map(reference)]
    if (key === 'targetRefs')
      return [key, inner.map((target: Reference) => (target.kind === 'Service' ? reference(target) : target))]
    return [key, withReferences(inner, reference)]
  })
  return Object.fromEntries(changed)
}
