import { BrokerError } from '../shared/errors.ts'
import { countFailedLookups } from '../shared/outage.ts'
import { type Wait, waitFor } from '../shared/wait-for.ts'

/** Callers that may wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000
/** And for the token of a client that Dex has never accepted: it may well be rejected. */
const maxWaitersPerStranger = 256

/** Does the work; tells of the first failure when it goes on trying. */
export type Work<T> = (signal: AbortSignal, onFirstFailure: (error: BrokerError) => void) => Promise<T>

/** Work that is under way for everybody who wants its result. */
export interface SharedWork<T> {
  /** The result, or why there is none, retries included. */
  readonly settled: Promise<T>
  /** The same, but not beyond the first failure. */
  readonly firstAttempt: Promise<T>
  waiters: number
  /** Lookups that gave up before the work failed: their failure belongs to the work's outage, if it fails. */
  lostLookups: number
  readonly maxWaiters: number
  abort(reason: Error): void
}

/**
 * What is under way, once for each key. It belongs to no caller: it ends by itself, or by `close`, and whoever stops
 * waiting leaves the others alone.
 */
export class InFlight<T> {
  readonly #maxWaiters: number
  readonly #work = new Map<string, SharedWork<T>>()
  #waiters = 0

  /** `maxWaiters`: callers that wait, for whatever key. */
  constructor(maxWaiters: number) {
    this.#maxWaiters = maxWaiters
  }

  has(key: string): boolean {
    return this.#work.has(key)
  }

  /** The work that is under way for a key, else new work; for a stranger fewer may wait. */
  join(key: string, isStranger: boolean, work: Work<T>): SharedWork<T> {
    return this.#work.get(key) ?? this.#start(key, isStranger, work)
  }

  /** One caller's wait, for all of the work or for its first attempt. */
  wait(shared: SharedWork<T>, outcome: 'settled' | 'firstAttempt', wait: Wait): Promise<T> {
    if (shared.waiters >= shared.maxWaiters || this.#waiters >= this.#maxWaiters) {
      return Promise.reject(tooManyWaiters())
    }
    shared.waiters++
    this.#waiters++
    return waitFor(shared[outcome], wait, waitedTooLong).finally(() => {
      shared.waiters--
      this.#waiters--
    })
  }

  close(reason: BrokerError): void {
    for (const shared of this.#work.values()) shared.abort(reason)
  }

  #start(key: string, isStranger: boolean, work: Work<T>): SharedWork<T> {
    const firstAttempt = Promise.withResolvers<T>()
    // Most callers wait for `settled` only, and every one of them may have left by the time it fails.
    firstAttempt.promise.catch(() => {})
    const controller = new AbortController()
    const settled = work(controller.signal, firstAttempt.reject).finally(() => this.#work.delete(key))
    settled.then(firstAttempt.resolve, firstAttempt.reject)
    const shared: SharedWork<T> = {
      settled,
      firstAttempt: firstAttempt.promise,
      waiters: 0,
      lostLookups: 0,
      maxWaiters: isStranger ? maxWaitersPerStranger : maxWaitersPerKey,
      abort: (reason: Error) => controller.abort(reason),
    }
    settled.catch(error => BrokerError.is(error) && countFailedLookups(error, shared.lostLookups))
    this.#work.set(key, shared)
    return shared
  }
}

function tooManyWaiters(): BrokerError {
  return new BrokerError('overloaded', 'too many callers are waiting', {
    retryAfterMs: 1000,
    transient: true,
  })
}

function waitedTooLong(): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token endpoint timed out', {
    retryAfterMs: 1000,
    transient: true,
  })
}
