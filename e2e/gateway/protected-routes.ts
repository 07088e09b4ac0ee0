import { type BrokerProcess, freePort, startBroker } from '@broker/testing'
import { ask, type ClientAnswer, type ClientRequest, send } from '../harness/client-request.ts'
import { type KubernetesObject, only } from '../helm/kubernetes-object.ts'
import { brokerHere, type Secrets } from '../helm/running/pod-here.ts'
import type { Surroundings } from '../helm/running/scene.ts'
import { secrets } from '../helm/running/values-here.ts'
import { EnvoyGateway } from './envoy-gateway.ts'
import { gatewayObjects, hostOf, routeObjects } from './gateway-objects.ts'
import type { Release } from './releases.ts'
import { standaloneObjects } from './standalone-objects.ts'

/** The route of a release, behind Envoy Gateway. */
export interface ProtectedRoute {
  readonly broker: BrokerProcess
  /** Sends a request for the host of the route. */
  ask(request: ClientRequest): Promise<ClientAnswer>
  /** Starts the broker again on the same ports, with more variables. The previous one must have ended. */
  restart(environment: Readonly<Record<string, string>>): Promise<void>
}

export interface RoutesOptions {
  readonly releases: readonly Release[]
  readonly scene: Surroundings
  /** Secrets that the examples do not name. */
  readonly moreSecrets?: Secrets
  /** Further objects of a namespace. */
  readonly moreObjects?: (namespace: string) => readonly KubernetesObject[]
  /** More of the spec of the EnvoyProxy. */
  readonly proxy?: object
  /** Objects of the namespace of the Gateway. */
  readonly atGateway?: readonly KubernetesObject[]
}

/** Envoy Gateway with a route, a policy and a broker for each release. */
export interface ProtectedRoutes extends AsyncDisposable {
  route(release: Release): ProtectedRoute
}

/** Starts the brokers, then Envoy Gateway, and waits until Envoy serves every route. */
export async function startProtectedRoutes({
  releases,
  scene,
  moreSecrets = {},
  moreObjects = () => [],
  proxy = {},
  atGateway = [],
}: RoutesOptions): Promise<ProtectedRoutes> {
  await using stack = new AsyncDisposableStack()
  const port = await freePort()
  const objects: KubernetesObject[] = [...gatewayObjects(port), ...atGateway]
  const routes = new Map<Release, ProtectedRoute>()

  async function start(release: Release): Promise<void> {
    const { namespace } = release
    const rendered = await release.objects(scene)
    const pod = stack.use(brokerHere(rendered, { ...secrets, ...moreSecrets }))
    const env = release.environment(pod.env, scene)
    let broker = stack.use(await startBroker(env))
    const ports = { check: broker.port, admin: broker.adminPort, grpc: broker.grpcPort ?? 0 }
    const [target] = only(rendered, 'SecurityPolicy')['spec'].targetRefs
    objects.push(
      ...standaloneObjects(rendered, namespace, ports),
      ...standaloneObjects(routeObjects(namespace, target.name), namespace, { http: scene.backend.port }),
      ...moreObjects(namespace),
    )
    routes.set(release, {
      get broker() {
        return broker
      },
      ask: request => ask(port, toHost(namespace, request)),
      async restart(environment) {
        const samePorts = {
          LISTEN_ADDR: `127.0.0.1:${ports.check}`,
          GRPC_LISTEN_ADDR: `127.0.0.1:${ports.grpc}`,
        }
        broker = resources.use(await startBroker({ ...env, ...samePorts, ...environment }))
      },
    })
  }

  // A few at a time: each is a process.
  const waiting = [...releases]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await start(next)
  }
  await Promise.all(Array.from({ length: 3 }, work))

  const gateway = stack.use(await EnvoyGateway.start(objects, proxy))
  for (const { namespace } of releases) {
    const isServed = async () => {
      const answer = await send(port, toHost(namespace, {})).catch(() => undefined)
      return answer !== undefined && answer.status !== 404
    }
    await gateway.until(isServed, `the route of ${namespace} is served`)
  }
  const resources = stack.move()
  return {
    route(release) {
      const found = routes.get(release)
      if (found === undefined) throw new Error(`there is no route of ${release.name}`)
      return found
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function toHost(namespace: string, request: ClientRequest): ClientRequest {
  const headers = request.headers ?? {}
  const lines = Array.isArray(headers) ? headers : Object.entries(headers)
  return { target: '/orders', ...request, headers: [['host', hostOf(namespace)], ...lines] }
}
