import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { HeldBytes } from './held-bytes.ts'
import { writeAtOnce } from './write-at-once.ts'

/**
 * A GOAWAY frame with NO_ERROR and the largest number of a stream: it announces the end, and still accepts streams (RFC 9113
 * section 6.8). Written past the session, because `goaway` of Node makes a session without streams stop reading, and calls that are
 * on their way would be lost.
 */
const shutdownNotice = Buffer.from('000008' + '07' + '00' + '00000000' + '7fffffff' + '00000000', 'hex')
/** How long the answers to pings may take: a caller that is far away or busy must not lose calls. */
const pingTimeoutMs = 5_000
/** The same during a stop, which has little time. */
const pingTimeoutAtStopMs = 1_000
/** How often the notice is tried again, for a caller that does not read. */
const noticeRetryMs = 50
/** Room for the messages of many calls that arrive together. */
const receiveWindowBytes = 1024 * 1024

/** A connection of a caller, which can end without losing a call. */
export class Connection {
  /** Bytes of incomplete messages. */
  readonly held: HeldBytes
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  readonly #timers = new Set<NodeJS.Timeout>()
  #leaving = false
  #openCalls = 0
  /** Calls since the last look for idleness. */
  #newCalls = 0

  constructor(session: ServerHttp2Session, socket: Socket, held: HeldBytes) {
    this.held = held
    this.#session = session
    this.#socket = socket
    session.setLocalWindowSize(receiveWindowBytes)
    session.once('close', () => {
      for (const timer of this.#timers) clearTimeout(timer)
    })
  }

  /** Counts a call, until {@link callClosed}. */
  callOpened(): void {
    this.#openCalls++
    this.#newCalls++
  }

  callClosed(): void {
    this.#openCalls--
  }

  /**
   * Calls `listener` when there was no call for `idleMs`, or for up to twice as long. The timeout of a session would be set anew for
   * each read and write of a call.
   */
  whenIdle(idleMs: number, listener: () => void): void {
    this.after(idleMs, () => {
      if (this.#openCalls === 0 && this.#newCalls === 0) listener()
      this.#newCalls = 0
      this.whenIdle(idleMs, listener)
    })
  }

  /** Calls `listener` after a time, unless the connection is closed by then. Does not keep the process alive. */
  after(delayMs: number, listener: () => void): void {
    if (this.#session.closed || this.#session.destroyed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      listener()
    }, delayMs)
    timer.unref()
    this.#timers.add(timer)
  }

  /**
   * Asks the caller to use another connection, serves the calls that are on their way, and closes the connection after the last
   * one. Calls that still run after `graceMs` are cut off.
   */
  leave(graceMs: number): void {
    if (this.#leaving) return
    this.after(graceMs, () => this.#session.destroy())
    this.#announceEnd(pingTimeoutMs)
  }

  /** Leaves sooner, and lets calls run until the stop cuts them off. */
  leaveAtStop(): void {
    if (this.#leaving) this.after(pingTimeoutAtStopMs, () => this.#close())
    else this.#announceEnd(pingTimeoutAtStopMs)
  }

  #announceEnd(timeoutMs: number): void {
    const session = this.#session
    if (session.closed || session.destroyed) return
    this.#leaving = true
    this.after(timeoutMs, () => this.#close())
    this.#notify()
  }

  /** A caller that reads nothing gets no notice, and its connection is closed when the time is up. */
  #notify(): void {
    const session = this.#session
    if (session.closed || session.destroyed) return
    try {
      if (!writeAtOnce(this.#socket, shutdownNotice)) {
        this.after(noticeRetryMs, () => this.#notify())
        return
      }
    } catch {
      session.destroy()
      return
    }
    // A caller that answers the first ping has read the notice. Its answer can overtake calls that it has already begun; they have
    // arrived with the answer to the second.
    session.ping(() => {
      if (!session.destroyed) session.ping(() => this.#close())
    })
  }

  #close(): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close()
  }

  /** Ends the connection and every call on it. */
  destroy(): void {
    this.#session.destroy()
  }
}
