import { freePort } from '@broker/testing'
import { type CaddyStandIn, startCaddyStandIn } from './caddy-stand-in.ts'
import { DexPod, type DexPodSettings, type RunningDex } from './dex-pod.ts'

/** Dex's pod behind Caddy. */
export interface Homelab extends AsyncDisposable {
  readonly caddy: CaddyStandIn
  readonly pod: DexPod
  /** The first container of the pod. */
  readonly dex: RunningDex
}

/** Starts both. Dex's issuer is Caddy's URL, and its own port is the name in the cluster. */
export async function startHomelab(clients: DexPodSettings['clients']): Promise<Homelab> {
  await using stack = new AsyncDisposableStack()
  const caddy = stack.use(await startCaddyStandIn())
  const port = await freePort()
  caddy.upstreamPort = port
  const pod = stack.use(new DexPod({ issuer: caddy.url, port, clients }))
  const dex = await pod.start()
  const resources = stack.move()
  return { caddy, pod, dex, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
