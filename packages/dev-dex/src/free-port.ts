import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * A port that was free on 127.0.0.1 a moment ago: the wanted one, or any for 0.
 *
 * Rejects with EADDRINUSE when the wanted port is taken. Another process may take the port meanwhile.
 */
export async function findFreePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
