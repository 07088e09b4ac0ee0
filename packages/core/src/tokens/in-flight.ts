import { BrokerError } from '../shared/errors.ts'
import { RequestWithDeadline } from '../shared/request-with-deadline.ts'
import { type Wait, waitFor } from '../shared/wait-for.ts'

/** Callers that may wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000

/** Does the work; tells of the first failure when it goes on trying. */
export type Work<T> = (signal: AbortSignal, onFirstFailure: (error: BrokerError) => void) => Promise<T>

/** Work that is under way for everybody who wants its result. */
export interface SharedWork<T> {
  /** The result, or why there is none, retries included. */
  readonly settled: Promise<T>
  /** The same, but not beyond the first failure. */
  readonly firstAttempt: Promise<T>
  waiters: number
  abort(reason: Error): void
}

/**
 * What is under way, once for each key. It belongs to no caller: its own deadline ends it, or `close`, and whoever
 * stops waiting leaves the others alone.
 */
export class InFlight<T> {
  readonly #timeoutMs: number
  readonly #work = new Map<string, SharedWork<T>>()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  has(key: string): boolean {
    return this.#work.has(key)
  }

  /** The work that is under way for a key, else new work. */
  join(key: string, work: Work<T>): SharedWork<T> {
    return this.#work.get(key) ?? this.#start(key, work)
  }

  /** One caller's wait, for all of the work or for its first attempt. */
  wait(shared: SharedWork<T>, outcome: 'settled' | 'firstAttempt', wait: Wait): Promise<T> {
    if (shared.waiters >= maxWaitersPerKey) return Promise.reject(tooManyWaiters())
    shared.waiters++
    return waitFor(shared[outcome], wait, waitedTooLong).finally(() => {
      shared.waiters--
    })
  }

  close(reason: BrokerError): void {
    for (const shared of this.#work.values()) shared.abort(reason)
  }

  #start(key: string, work: Work<T>): SharedWork<T> {
    const firstAttempt = Promise.withResolvers<T>()
    // Most callers wait for `settled` only.
    firstAttempt.promise.catch(() => {})
    const request = new RequestWithDeadline(this.#timeoutMs, signal =>
      work(signal, firstAttempt.reject).finally(() => this.#work.delete(key)),
    )
    request.settled.then(firstAttempt.resolve, firstAttempt.reject)
    const shared = {
      settled: request.settled,
      firstAttempt: firstAttempt.promise,
      waiters: 0,
      abort: (reason: Error) => request.abort(reason),
    }
    this.#work.set(key, shared)
    return shared
  }
}

function tooManyWaiters(): BrokerError {
  return new BrokerError('overloaded', 'too many callers wait', { retryAfterMs: 1000, transient: true })
}

function waitedTooLong(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token endpoint did not answer in time', {
    retryAfterMs: 1000,
    transient: true,
  })
}
