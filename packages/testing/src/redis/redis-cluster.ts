import { freePort } from '../free-port.ts'
import { until } from '../until.ts'
import { type RedisServer, startRedis } from './redis-process.ts'

/** Three masters without replicas, which share the slots; a dead one leaves the others' slots usable. */
export interface RedisCluster extends AsyncDisposable {
  /** `redis-cluster://` with all nodes. */
  readonly url: string
  readonly masters: readonly RedisServer[]
  /** The master that has the slot of a key. */
  masterOf(key: string): Promise<RedisServer>
}

const slots = 16_384
const size = 3

/** Starts the masters and waits until each knows all slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  await using stack = new AsyncDisposableStack()
  const nodes: { port: number; busPort: number }[] = []
  const masters: RedisServer[] = []
  for (let index = 0; index < size; index++) {
    const node = { port: await freePort(), busPort: await freePort() }
    nodes.push(node)
    masters.push(stack.use(await startRedis({ port: node.port, config: clusterConfig(node.busPort) })))
  }
  const [first] = masters as [RedisServer]

  for (const [index, master] of masters.entries()) {
    const from = Math.ceil((slots * index) / size)
    const to = Math.ceil((slots * (index + 1)) / size) - 1
    await master.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    await master.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
  }
  for (const { port, busPort } of nodes.slice(1))
    await first.ask('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort))
  for (const master of masters) {
    await until(async () => {
      const info = String(await master.ask('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`)
    }, 'a complete cluster')
  }

  const parts = stack.move()
  return {
    url: `redis-cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    async masterOf(key) {
      const slot = Number(await first.ask('CLUSTER', 'KEYSLOT', key))
      return masters[Math.floor((slot * size) / slots)] as RedisServer
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

function clusterConfig(busPort: number): string[] {
  return [
    'cluster-enabled yes',
    `cluster-port ${busPort}`,
    'cluster-announce-ip 127.0.0.1',
    'cluster-node-timeout 1000',
    'cluster-require-full-coverage no',
  ]
}
