import type { Socket } from 'node:net'

/**
 * Bounds the connections of a server, and has a slot for every new one: a prober that is turned away would restart the pod. The connection
 * that has been without a request for the longest time is closed for it; when all have one, the connection with the oldest request.
 */
export class ConnectionSlots {
  readonly #limit: number
  /** In the order in which they became idle. */
  readonly #idle = new Set<Socket>()
  /** In the order of their requests. */
  readonly #busy = new Set<Socket>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes a slot for a new connection. */
  take(socket: Socket): void {
    if (socket.destroyed) return
    if (this.#idle.size + this.#busy.size >= this.#limit) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#busy
      if (oldest !== undefined) this.#end(oldest)
    }
    this.#idle.add(socket)
    socket.once('close', () => this.#forget(socket))
  }

  /** Notes a request of a connection; returns whether it is the only one. */
  begin(socket: Socket): boolean {
    if (this.#busy.has(socket)) return false
    this.#idle.delete(socket)
    this.#busy.add(socket)
    return true
  }

  /** Notes that the request of a connection has its answer. */
  finish(socket: Socket): void {
    if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket)
  }

  #end(socket: Socket): void {
    this.#forget(socket)
    socket.destroy()
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket)
    this.#busy.delete(socket)
  }
}
