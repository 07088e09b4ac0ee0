import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'

/** How long a handshake may take. A few round trips are enough; Node's own limit counts from the last byte and is two minutes. */
export const handshakeTimeoutMs = 10_000

/** Half of the connections that the gRPC listener may have. */
const maxUnderWay = 1_024
/** For callers that are not slow themselves, at a server with much to do. */
const graceMs = 1_000

interface Handshake {
  readonly socket: Socket
  readonly startedAt: number
  readonly timer: NodeJS.Timeout
}

/** The reasons for which a handshake is cut off. */
type CutOff = 'timeout' | 'too_many_handshakes'

/**
 * The handshakes under way at a server, each of which ends in time. Beyond 1,024, the oldest is cut off for a new one, so that callers
 * who begin and do not go on keep nobody else out.
 */
export class Handshakes {
  readonly #timeoutMs: number
  readonly #onCutOff: (reason: CutOff, peer: string | undefined) => void
  /** By both ends of the connection, because Node does not tell which connection a TLS socket is made of. The oldest first. */
  readonly #underWay = new Map<string, Handshake>()

  constructor(
    server: Server,
    onCutOff: (reason: CutOff, peer: string | undefined) => void,
    timeoutMs = handshakeTimeoutMs,
  ) {
    this.#timeoutMs = timeoutMs
    this.#onCutOff = onCutOff
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
    const timer = setTimeout(() => this.#cutOff(socket, 'timeout'), this.#timeoutMs).unref()
    this.#makeRoom()
    this.#underWay.set(ends, { socket, startedAt: performance.now(), timer })
    socket.once('close', () => {
      // Connections that a caller has reset already have no ends, so they are all of one name.
      clearTimeout(timer)
      if (this.#underWay.get(ends)?.socket === socket) this.#end(ends)
    })
  }

  #makeRoom(): void {
    if (this.#underWay.size < maxUnderWay) return
    const [oldest] = this.#underWay
    if (oldest === undefined) return
    const [ends, { socket, startedAt }] = oldest
    if (performance.now() - startedAt < graceMs) return
    this.#end(ends)
    this.#cutOff(socket, 'too_many_handshakes')
  }

  #cutOff(socket: Socket, reason: CutOff): void {
    this.#onCutOff(reason, socket.remoteAddress)
    socket.destroy()
  }

  #end(ends: string): void {
    clearTimeout(this.#underWay.get(ends)?.timer)
    this.#underWay.delete(ends)
  }
}

function endsOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
