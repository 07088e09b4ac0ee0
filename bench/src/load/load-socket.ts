import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Load } from './load.ts'

/** Opens a connection to the server under measurement; resolves when the handshake of TLS, if there is one, is over. */
export async function loadSocket(
  { port, tls }: Pick<Load, 'port' | 'tls'>,
  protocol: 'http/1.1' | 'h2',
): Promise<Socket> {
  const host = '127.0.0.1'
  if (tls === undefined) {
    const socket = connect({ port, host, noDelay: true })
    await once(socket, 'connect')
    return socket
  }
  const { name: servername, ...identity } = tls
  const socket = connectTls({ port, host, servername, ALPNProtocols: [protocol], ...identity }).setNoDelay()
  await once(socket, 'secureConnect')
  return socket
}
