import type { Logger } from 'pino'
import type { TlsMetrics } from '../admin/tls-metrics.ts'
import { type HandshakeFailure, handshakeHints } from './handshake-failure.ts'

/** A scanner must not fill the log. */
const intervalMs = 10_000

/** A refused connection. */
export interface RefusedHandshake {
  readonly reason: HandshakeFailure
  /** The code of OpenSSL or Node. */
  readonly cause?: string | undefined
  /** The address of the caller. */
  readonly peer?: string | undefined
  /** The names in the certificate of the caller. */
  readonly names?: readonly string[]
}

/** Counts the refused connections of one listener, and logs for each reason at most one in ten seconds. */
export class HandshakeLog {
  readonly #listener: string
  readonly #metrics: TlsMetrics
  readonly #logger: Logger
  readonly #now: () => number
  readonly #reasons = new Map<HandshakeFailure, { loggedAt: number; count: number }>()

  /** `now` is a monotonic clock in milliseconds. */
  constructor(
    listener: string,
    metrics: TlsMetrics,
    logger: Logger,
    now: () => number = () => performance.now(),
  ) {
    this.#listener = listener
    this.#metrics = metrics
    this.#logger = logger
    this.#now = now
    metrics.announce(listener)
  }

  add({ reason, ...facts }: RefusedHandshake): void {
    this.#metrics.countFailure(this.#listener, reason)
    const now = this.#now()
    const last = this.#reasons.get(reason)
    if (last !== undefined && now - last.loggedAt < intervalMs) {
      last.count++
      return
    }
    this.#reasons.set(reason, { loggedAt: now, count: 0 })
    const count = (last?.count ?? 0) + 1
    const hint = handshakeHints[reason].replace(
      /\bTLS_C/,
      this.#listener === 'admin' ? 'ADMIN_TLS_C' : 'TLS_C',
    )
    this.#logger.warn({ listener: this.#listener, reason, count, ...facts, hint }, 'TLS connections refused')
  }
}
