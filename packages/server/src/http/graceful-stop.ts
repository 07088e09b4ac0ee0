import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** How long new connections are still accepted after readiness flipped: proxies learn of it with a delay. */
const maxDrainMs = 1_000

/**
 * Lets a listener come to rest: answers go on with `connection: close`, so that clients stop to reuse connections
 * instead of losing a request on one; then no connection is accepted and what runs is finished, within `timeoutMs`.
 * What still runs then is cut off.
 */
export class GracefulStop {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #running = new Set<ServerResponse>()
  #stopping = false

  constructor(server: Server) {
    this.#server = server
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    // In the place of the listener that answers, not beside it: each check would be handed to all of them in turn.
    const answer = server.listeners('request') as RequestListener[]
    server.removeAllListeners('request')
    server.on('request', (incoming, outgoing) => {
      if (this.#stopping) closeAfter(outgoing)
      for (const listener of answer) listener.call(server, incoming, outgoing)
      // What was answered at once, as most are, needs no watching.
      if (!this.#stopping && !outgoing.writableEnded) this.#watch(outgoing)
    })
  }

  /** Resolves with whether everything that ran was finished. */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stopping = true
    for (const outgoing of this.#running) closeAfter(outgoing)
    const deadline = performance.now() + timeoutMs
    await this.#drain(Math.min(maxDrainMs, timeoutMs / 4))
    const cutOff = new AbortController()
    const closed = new Promise<true>(resolve => {
      this.#server.close(() => resolve(true))
    })
    this.#server.closeIdleConnections()
    this.#closeUnusedConnections()
    const inTime = await Promise.race([
      closed,
      delay(Math.max(0, deadline - performance.now()), false, { signal: cutOff.signal }).catch(() => true),
    ])
    cutOff.abort()
    this.#server.closeAllConnections()
    return inTime
  }

  /** Node before 26 does not count a connection as idle on which nothing was ever sent. */
  #closeUnusedConnections(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  /** What runs when the stop begins must not leave an idle connection behind: nobody would close it. */
  #watch(outgoing: ServerResponse): void {
    this.#running.add(outgoing)
    outgoing.once('close', () => this.#running.delete(outgoing))
  }

  /**
   * Without a connection there is nobody to be surprised. Whoever had one comes back on a new one, because each answer
   * closes its connection: that for a moment none is left says nothing.
   */
  async #drain(drainMs: number): Promise<void> {
    if ((await this.#connections()) > 0) await delay(drainMs)
  }

  #connections(): Promise<number> {
    return new Promise(resolve => {
      this.#server.getConnections((_error, count) => resolve(count ?? 0))
    })
  }
}

function closeAfter(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader('connection', 'close')
}
