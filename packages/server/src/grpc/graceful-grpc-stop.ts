import { Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { StoppableServer } from '../address-listener.ts'
import type { GrpcServer } from './grpc-server.ts'

/** How long new connections are still accepted after readiness changed, because proxies notice it with a delay. */
const maxDrainMs = 1_000

/**
 * Stops a gRPC server in three steps, within `timeoutMs`. First, every connection is asked to end, while new ones are still accepted.
 * Then no connection is accepted and running calls finish. Last, calls that still run are cut off.
 */
export class GracefulGrpcStop implements StoppableServer {
  readonly server: Server
  readonly #grpc: GrpcServer
  readonly #onStop: () => void
  readonly #endHandshakes: () => void

  /** `onStop` is called when the stop begins; `endHandshakes` cuts off connections whose TLS handshake has not ended. */
  constructor(grpc: GrpcServer, onStop: () => void = () => {}, endHandshakes: () => void = () => {}) {
    this.server = grpc.server
    this.#grpc = grpc
    this.#onStop = onStop
    this.#endHandshakes = endHandshakes
  }

  /** Resolves with whether every running call was finished. */
  async stop(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    this.#onStop()
    this.#grpc.endStreaming()
    if (this.#leave()) await delay(Math.min(maxDrainMs, timeoutMs / 4))
    const closed = new Promise<true>(resolve => {
      // The server of HTTP/2 would also close connections at once, and lose the calls that are on their way.
      Server.prototype.close.call(this.server, () => resolve(true))
    })
    this.#endHandshakes()
    this.#leave()
    const cutOff = new AbortController()
    const inTime = await Promise.race([
      closed,
      delay(Math.max(0, deadline - performance.now()), false, { signal: cutOff.signal }).catch(() => true),
    ])
    cutOff.abort()
    for (const connection of this.#grpc.connections) connection.destroy()
    return inTime
  }

  /** Returns whether there are connections. */
  #leave(): boolean {
    const connections = [...this.#grpc.connections]
    for (const connection of connections) connection.leaveAtStop()
    return connections.length > 0
  }
}
