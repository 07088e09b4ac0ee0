import { BrokerError } from '../shared/errors.ts'
import type { Wait } from '../shared/wait-for.ts'
import { tooManyCallers, type WaitingCallers } from '../shared/waiting-callers.ts'
import { SharedWork, type Work, type WorkKind } from './shared-work.ts'

/** The work under way, at most one per key and origin. It belongs to no caller: only its own end or `close` ends it. */
export class InFlight<T> {
  readonly #callers: WaitingCallers
  /** The work that callers can join, by its origin: two origins can be asked for the same key in turns. */
  #work = new WeakMap<object, Map<string, SharedWork<T>>>()
  /** All work, also work that only the callers that it began with wait for. */
  readonly #running = new Set<SharedWork<T>>()

  constructor(callers: WaitingCallers) {
    this.#callers = callers
  }

  /** All work under way. */
  get size(): number {
    return this.#running.size
  }

  has(key: string, origin: object): boolean {
    return this.#work.get(origin)?.has(key) ?? false
  }

  /**
   * Joins the work under way for a key, or starts it. Work with another origin is not joined: it began with other options. Fewer
   * callers may wait for the token of an unknown client.
   */
  join(key: string, kind: WorkKind, work: Work<T>): SharedWork<T> {
    return this.#work.get(kind.origin)?.get(key) ?? this.#start(key, kind, work)
  }

  /** Makes later callers start new work. The work under way ends for the callers that wait for it. */
  startAfresh(): void {
    this.#work = new WeakMap()
  }

  /** Waits on behalf of one caller, for the work or for its first attempt. Rejects with `overloaded` at the limit. */
  wait(shared: SharedWork<T>, outcome: 'settled' | 'firstAttempt', wait: Wait): Promise<T> {
    if (shared.waiters >= shared.maxWaiters) return Promise.reject(tooManyCallers())
    shared.waiters++
    const { isStranger: isUnknown } = shared
    const ended = () => {
      shared.waiters--
    }
    return this.#callers.wait(shared[outcome], wait, { isUnknown, timedOut: waitedTooLong, ended })
  }

  close(reason: BrokerError): void {
    for (const shared of this.#running) shared.abort(reason)
  }

  #start(key: string, kind: WorkKind, work: Work<T>): SharedWork<T> {
    const shared = new SharedWork(kind, work, ended => this.#ended(key, ended))
    const ofOrigin = this.#work.get(kind.origin) ?? new Map<string, SharedWork<T>>()
    ofOrigin.set(key, shared)
    this.#work.set(kind.origin, ofOrigin)
    this.#running.add(shared)
    return shared
  }

  #ended(key: string, shared: SharedWork<T>): void {
    this.#running.delete(shared)
    const ofOrigin = this.#work.get(shared.origin)
    if (ofOrigin?.get(key) === shared) ofOrigin.delete(key)
  }
}

function waitedTooLong(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token endpoint timed out', {
    retryAfterMs: 1000,
    transient: true,
  })
}
