import { once } from 'node:events'
import { createServer } from 'node:net'
import { QuickstartFailure } from './quickstart-failure.ts'

/** A port on 127.0.0.1 for each part. */
export type Ports = Readonly<Record<'gateway' | 'broker' | 'admin' | 'dex' | 'backend', number>>

/** The system picks them. */
export const anyPorts: Ports = { gateway: 0, broker: 0, admin: 0, dex: 0, backend: 0 }

/** Those that the parts have in their own documentation. */
const friendlyPorts: Ports = { gateway: 10000, broker: 8080, admin: 8081, dex: 5556, backend: 9000 }

/** How far the search for a free port goes. */
const attempts = 200

/** The friendly ports; in place of a busy one the next free one, and `say` gets a line about it. */
export async function choosePorts(say: (line: string) => void): Promise<Ports> {
  const chosen: Record<string, number> = {}
  // A substitute must not take what another part is about to listen on.
  const spoken = new Set(Object.values(friendlyPorts))
  for (const [part, port] of Object.entries(friendlyPorts)) {
    chosen[part] = (await isFree(port)) ? port : await nextFreePort(port, spoken)
    spoken.add(chosen[part])
    if (chosen[part] !== port) say(`Port ${port} is taken; ${part} listens on ${chosen[part]} instead.`)
  }
  return chosen as Ports
}

async function nextFreePort(taken: number, spoken: ReadonlySet<number>): Promise<number> {
  for (let port = taken + 1; port <= taken + attempts; port += 1) {
    if (!spoken.has(port) && (await isFree(port))) return port
  }
  throw new QuickstartFailure(`There is no free port from ${taken} to ${taken + attempts} on 127.0.0.1.`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
