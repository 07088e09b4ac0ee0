import type { KubernetesObject } from '../helm/kubernetes-object.ts'

/** The name by which the GatewayClass selects its controller. */
export const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller'

/** The namespace of the Gateway, where its administrator works. */
export const gatewayNamespace = 'gateways'

/** A Gateway on a port of this machine, for routes of all namespaces. */
export function gatewayObjects(port: number): readonly KubernetesObject[] {
  const metadata = { name: 'eg', namespace: gatewayNamespace }
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'eg' },
      spec: { controllerName },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata,
      spec: {
        gatewayClassName: 'eg',
        listeners: [{ name: 'http', protocol: 'HTTP', port, allowedRoutes: { namespaces: { from: 'All' } } }],
      },
    },
  ]
}

/** The host of the route of a namespace. */
export const hostOf = (namespace: string): string => `${namespace}.example.com`

/** The HTTPRoute of a namespace to its backend, as the administrator of an application has it before the broker comes. */
export function routeObjects(namespace: string, name: string): readonly KubernetesObject[] {
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name, namespace },
      spec: {
        parentRefs: [{ name: 'eg', namespace: gatewayNamespace }],
        hostnames: [hostOf(namespace)],
        rules: [{ backendRefs: [{ name: 'orders', port: 80 }] }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders', namespace },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ]
}
