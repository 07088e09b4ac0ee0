import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'

/** Certificate and private key in PEM. */
export interface TlsIdentity {
  /** The private key, in PEM. */
  readonly key: string | Buffer
  /** The certificate and its chain, in PEM. */
  readonly cert: string | Buffer
}

/** An HTTP or HTTPS server that is listening. */
export interface LoopbackServer {
  readonly origin: string
  readonly port: number
  readonly openConnections: number
  /** Destroys every connection and frees the port. */
  close(): Promise<void>
}

/** Where and how to listen. */
export interface LoopbackServerOptions {
  readonly hostname: string
  /** 0 takes a free port. */
  readonly port: number
  readonly tls?: TlsIdentity | undefined
}

/** Listens; rejects with the system's error, such as EADDRINUSE. */
export async function listenOnLoopback(
  { hostname, port, tls }: LoopbackServerOptions,
  listener: RequestListener,
): Promise<LoopbackServer> {
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener)
  // Go keeps idle connections for as long as the client wants them.
  server.keepAliveTimeout = 0
  const sockets = new Set<Socket>()
  // Raw sockets, because a connection that is still in its TLS handshake is unknown to closeAllConnections.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, hostname)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${address.port}`,
    port: address.port,
    get openConnections() {
      return sockets.size
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
