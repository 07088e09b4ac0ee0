import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { StoppableServer } from '../address-listener.ts'

/** How long new connections are still accepted after readiness changed, because proxies notice it with a delay. */
const maxDrainMs = 1_000

/**
 * Stops a listener in three steps, within `timeoutMs`. First, answers carry `connection: close`, so that clients stop
 * reusing connections instead of losing a request on one. Then no connection is accepted and running requests finish.
 * Last, requests that still run are cut off.
 */
export class GracefulStop implements StoppableServer {
  readonly server: Server
  readonly #sockets = new Set<Socket>()
  readonly #running = new Set<ServerResponse>()
  readonly #endHandshakes: () => void
  #stopping = false

  /** `endHandshakes` cuts off connections whose TLS handshake has not ended. */
  constructor(server: Server, endHandshakes: () => void = () => {}) {
    this.server = server
    this.#endHandshakes = endHandshakes
    // With TLS, the bytes of a handshake have been read on the connection below.
    const watch = (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', watch)
    // Replaces the listeners that answer: a second listener beside them would cost every check a call.
    const answer = server.listeners('request') as RequestListener[]
    server.removeAllListeners('request')
    server.on('request', (incoming, outgoing) => {
      if (this.#stopping) closeAfter(outgoing)
      for (const listener of answer) listener.call(server, incoming, outgoing)
      // A request that was answered at once, as most are, needs no watching.
      if (!this.#stopping && !outgoing.writableEnded) this.#watch(outgoing)
    })
  }

  /** Resolves with whether every running request was finished. */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stopping = true
    for (const outgoing of this.#running) closeAfter(outgoing)
    const deadline = performance.now() + timeoutMs
    await this.#drain(Math.min(maxDrainMs, timeoutMs / 4))
    const cutOff = new AbortController()
    const closed = new Promise<true>(resolve => {
      this.server.close(() => resolve(true))
    })
    this.#endHandshakes()
    this.server.closeIdleConnections()
    this.#closeUnusedConnections()
    const inTime = await Promise.race([
      closed,
      delay(Math.max(0, deadline - performance.now()), false, { signal: cutOff.signal }).catch(() => true),
    ])
    cutOff.abort()
    this.server.closeAllConnections()
    return inTime
  }

  /** Node before 26 does not count an unused connection as idle. */
  #closeUnusedConnections(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  /** A request that runs when the stop begins must not leave an idle connection, which would never be closed. */
  #watch(outgoing: ServerResponse): void {
    this.#running.add(outgoing)
    outgoing.once('close', () => this.#running.delete(outgoing))
  }

  /**
   * Waits only if there are connections. Their clients reconnect, because each answer closes its connection, so having no
   * connection for a moment does not end the wait.
   */
  async #drain(drainMs: number): Promise<void> {
    if ((await this.#connections()) > 0) await delay(drainMs)
  }

  #connections(): Promise<number> {
    return new Promise(resolve => {
      this.server.getConnections((_error, count) => resolve(count ?? 0))
    })
  }
}

function closeAfter(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader('connection', 'close')
}
