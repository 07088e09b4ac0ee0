// The broker in a separate process, which reports its holdings on request. Started by soak.ts with --expose-gc.
import { setTimeout as delay } from 'node:timers/promises'
import { loadConfig, startServer } from '@broker/server'

/** The resources that a process holds. */
export interface Holdings {
  readonly heapMiB: number
  readonly rssMiB: number
  /** Kinds of active resources of Node, and how many there are of each. */
  readonly resources: Readonly<Record<string, number>>
  /** Listeners on the process object. */
  readonly listeners: number
}

export type MessageFromBroker =
  | { readonly type: 'listening'; readonly port: number; readonly adminPort: number }
  | ({ readonly type: 'holdings' } & Holdings)

async function holdings(): Promise<Holdings> {
  // A collection may free more in the next round: weak references and finalizers take a turn each.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await delay(50)
  }
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { heapUsed, rss } = process.memoryUsage()
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  return { heapMiB: heapUsed / 2 ** 20, rssMiB: rss / 2 ** 20, resources, listeners }
}

function tell(message: MessageFromBroker): void {
  process.send?.(message)
}

const server = await startServer(loadConfig(process.env))
process.on('message', async message => {
  if (message === 'holdings') tell({ type: 'holdings', ...(await holdings()) })
  if (message === 'stop') {
    await server.close()
    process.disconnect?.()
  }
})
tell({ type: 'listening', port: server.checkAddress.port, adminPort: server.adminAddress?.port ?? 0 })
