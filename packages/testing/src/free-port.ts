import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections, so that none of those takes the port meanwhile. */
const range = [10_000, 32_000] as const
const maxAttempts = 100

/** A port of 127.0.0.1 that nobody listens on at the moment: the preferred one unless it is in use, otherwise any. */
export async function freePort(preferred?: number): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const port = attempt === 0 && preferred ? preferred : randomInt(...range)
    if (await isPortFree(port, '127.0.0.1')) return port
  }
  throw new Error(`no free port in ${maxAttempts} attempts`)
}

/** Whether nobody listens on a port at the moment; without `host`, on every address. */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  const server = createServer().listen(port, host)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
