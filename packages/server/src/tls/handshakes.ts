import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'

/** How long a handshake may take. A few round trips are enough; Node's own limit counts from the last byte and is two minutes. */
export const handshakeTimeoutMs = 10_000

interface Handshake {
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
}

/** The handshakes under way at a server, each of which ends in time. */
export class Handshakes {
  readonly #timeoutMs: number
  readonly #onTimeout: (peer: string | undefined) => void
  /** By both ends of the connection, because Node does not tell which connection a TLS socket is made of. */
  readonly #underWay = new Map<string, Handshake>()

  constructor(server: Server, onTimeout: (peer: string | undefined) => void, timeoutMs = handshakeTimeoutMs) {
    this.#timeoutMs = timeoutMs
    this.#onTimeout = onTimeout
    server.prependListener('connection', (socket: Socket) => this.#begin(socket))
    server.prependListener('secureConnection', (socket: TLSSocket) => this.#end(endsOf(socket)))
  }

  /** How many are under way. */
  get count(): number {
    return this.#underWay.size
  }

  /** Cuts off those that are under way. */
  destroyAll(): void {
    for (const { socket } of this.#underWay.values()) socket.destroy()
  }

  #begin(socket: Socket): void {
    const ends = endsOf(socket)
    const timer = setTimeout(() => {
      this.#onTimeout(socket.remoteAddress)
      socket.destroy()
    }, this.#timeoutMs).unref()
    this.#underWay.set(ends, { socket, timer })
    socket.once('close', () => {
      if (this.#underWay.get(ends)?.socket === socket) this.#end(ends)
    })
  }

  #end(ends: string): void {
    clearTimeout(this.#underWay.get(ends)?.timer)
    this.#underWay.delete(ends)
  }
}

function endsOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
