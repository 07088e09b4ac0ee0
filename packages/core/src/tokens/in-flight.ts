import { BrokerError } from '../shared/errors.ts'
import { logContext } from '../shared/log-context.ts'
import { countFailedLookups } from '../shared/outage.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { Wait } from '../shared/wait-for.ts'
import { tooManyCallers, type WaitingCallers } from '../shared/waiting-callers.ts'

/** Limit of callers that wait for one token: enough for any burst, and a bound on memory. */
const maxWaitersPerKey = 50_000
/** The same for a client that Dex has not accepted yet. */
const maxWaitersPerStranger = 256

/** Does the work. Calls `onFirstFailure` when it retries after a failure. */
export type Work<T> = (signal: AbortSignal, onFirstFailure: (error: BrokerError) => void) => Promise<T>

/** The differences between work for the same key. */
export interface WorkKind {
  /** Does the work; only work with the same one is shared. */
  readonly origin: object
  /** Whether Dex has not accepted the client yet. */
  readonly isStranger: boolean
  /** The span of the caller that starts the work. */
  readonly leader?: SpanContext | undefined
}

/** Work under way, shared by all callers that want its result. */
export interface SharedWork<T> extends WorkKind {
  /** Settles with the result, or with the error after all retries. */
  readonly settled: Promise<T>
  /** Settles with the result, or with the error of the first attempt. */
  readonly firstAttempt: Promise<T>
  /** The error of the first attempt, once it has failed. */
  firstFailure: BrokerError | undefined
  waiters: number
  /** Lookups that gave up before the work failed: their failure belongs to the work's outage, if it fails. */
  lostLookups: number
  readonly maxWaiters: number
  abort(reason: Error): void
}

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
    return this.#callers.wait(shared[outcome], wait, { isUnknown, timedOut: waitedTooLong }).finally(() => {
      shared.waiters--
    })
  }

  close(reason: BrokerError): void {
    for (const shared of this.#running) shared.abort(reason)
  }

  #start(key: string, { origin, isStranger, leader }: WorkKind, work: Work<T>): SharedWork<T> {
    const firstAttempt = Promise.withResolvers<T>()
    // Most callers wait for `settled` only, and all of them can be gone when it fails.
    firstAttempt.promise.catch(() => {})
    const controller = new AbortController()
    const onFirstFailure = (failure: BrokerError) => {
      shared.firstFailure ??= failure
      firstAttempt.reject(failure)
    }
    const settled = logContext
      .carry(() => work(controller.signal, onFirstFailure))
      .finally(() => this.#ended(key, shared))
    settled.then(firstAttempt.resolve, firstAttempt.reject)
    const shared: SharedWork<T> = {
      origin,
      settled,
      firstAttempt: firstAttempt.promise,
      firstFailure: undefined,
      waiters: 0,
      lostLookups: 0,
      maxWaiters: isStranger ? maxWaitersPerStranger : maxWaitersPerKey,
      isStranger,
      leader,
      abort: (reason: Error) => controller.abort(reason),
    }
    settled.catch(error => BrokerError.is(error) && countFailedLookups(error, shared.lostLookups))
    const ofOrigin = this.#work.get(origin) ?? new Map<string, SharedWork<T>>()
    ofOrigin.set(key, shared)
    this.#work.set(origin, ofOrigin)
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
