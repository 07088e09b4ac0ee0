import type { TokenOrder } from '../../clients/token-order.ts'
import { type Moment, momentOf } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import type { CachedToken } from '../cache/token-cache.ts'
import { type TokenLife, usableMs } from '../cache/token-life.ts'
import { mustWait } from '../must-wait.ts'
import { signingKeyOf } from '../signing-key.ts'
import type { ObtainedToken } from '../token-origin.ts'
import type { OpenedRecord } from './guarded-store.ts'
import { HeldLease, leaseMs } from './held-lease.ts'
import type { SharedRecords, SharedStore } from './shared-records.ts'
import { sleep } from './sleep.ts'

/** Records of no use that a store may answer with, one after the other. */
const maxRefused = 3
/** Pauses between the questions to the store while another replica has the lease, in milliseconds. */
const pauses = { firstMs: 20, maxMs: 200 }

/** The token that is looked for. */
export interface WantedToken {
  readonly order: TokenOrder
  /** The cached token that it replaces, if there is one. */
  readonly replaced: CachedToken | undefined
  /** The life that a token would have. */
  lifeOf(obtained: ObtainedToken): TokenLife
  readonly controller: AbortController
  /** Told that callers with an unexpired token need not wait. */
  readonly onFirstFailure: (failure: BrokerError) => void
  /** The parent of the spans of its requests. */
  readonly parent?: SpanContext | undefined
}

/** The end of a search: a token, or a lease to request one; `undefined`: the token is requested without the store. */
export type SearchEnd = ObtainedToken | HeldLease | undefined

/** One search for a token in the shared store. */
export class RecordSearch {
  readonly #surroundings: Surroundings
  readonly #records: SharedRecords
  readonly #shared: SharedStore
  readonly #wanted: WantedToken
  readonly #names: readonly string[]
  #newerThan: number
  #refused = 0
  #waitedMs = 0
  #pauseMs = pauses.firstMs

  constructor(
    surroundings: Surroundings,
    { records, shared }: { readonly records: SharedRecords; readonly shared: SharedStore },
    wanted: WantedToken,
    record: string,
  ) {
    this.#surroundings = surroundings
    this.#records = records
    this.#shared = shared
    this.#wanted = wanted
    this.#names = shared.keys.namesOf(record)
    this.#newerThan = wanted.replaced?.mark?.fence ?? 0
  }

  /** Looks for a record, and waits while another replica requests the token. Rejects with the signal's reason alone. */
  async run(): Promise<SearchEnd> {
    const [name = ''] = this.#names
    const { store } = this.#shared
    const { signal } = this.#wanted.controller
    const { clock } = this.#surroundings
    while (this.#refused <= maxRefused) {
      await this.#records.told(name)
      // Before the question: the time that it takes counts as part of a token's life.
      const askedAt = momentOf(clock)
      const newerThan = this.#newerThanNow()
      const answer = await store.lease(name, { leaseMs, newerThan })
      if (answer === undefined) return undefined
      if (answer.kind === 'record') {
        const token = this.#accepted(answer.record, askedAt)
        if (token !== undefined) return token
      } else if (answer.kind === 'held') {
        if (!(await this.#mayWait(answer.forMs))) return undefined
      } else {
        const lease = new HeldLease(
          store,
          { names: this.#names, fence: answer.fence },
          newerThan,
          this.#surroundings,
        )
        return this.#olderRecordOr(lease, signal)
      }
    }
    return undefined
  }

  /** Whether anything was stored under these names, as far as is known. */
  get hasSeenRecord(): boolean {
    return this.#newerThan > 0
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** Another replica can drop a record during the search. */
  #newerThanNow(): number {
    this.#newerThan = Math.max(this.#newerThan, this.#records.droppedFence(this.#names))
    return this.#newerThan
  }

  /** Looks under the names by the other keys, while keys are rotated. */
  async #olderRecordOr(lease: HeldLease, signal: AbortSignal): Promise<SearchEnd> {
    const { store } = this.#shared
    for (const name of this.#names.slice(1)) {
      const askedAt = momentOf(this.#surroundings.clock)
      const record = await store.get(name, this.#newerThanNow())
      const token = record && this.#accepted(record, askedAt)
      if (token !== undefined) {
        lease.release()
        return token
      }
    }
    if (!signal.aborted) return lease
    lease.release()
    throw signal.reason
  }

  /** Returns the token of a record when it is of use here; else the search continues for what is newer. */
  #accepted({ fence, ageMs, token }: OpenedRecord, askedAt: Moment): ObtainedToken | undefined {
    const obtained = token && {
      response: token,
      requestedAt: requestedAt(token.requestedAt, ageMs, askedAt),
      request: undefined,
      mark: { names: this.#names, fence },
    }
    if (obtained !== undefined && this.#isOfUse(obtained)) return obtained
    this.#refused++
    this.#newerThan = Math.max(this.#newerThan, fence)
    return undefined
  }

  #isOfUse(obtained: ObtainedToken & Required<Pick<ObtainedToken, 'mark'>>): boolean {
    const { replaced, lifeOf } = this.#wanted
    if (this.#records.isDropped(obtained)) return false
    const life = lifeOf(obtained)
    if (this.#records.isKeyGone(signingKeyOf(obtained.response.accessToken))) {
      if (obtained.mark !== undefined) this.#records.forget(obtained.mark, life.livesUntil)
      return false
    }
    // The token that is replaced came from Dex without the store: the end of its life tells which one is newer.
    const isOlder =
      replaced !== undefined && replaced.mark === undefined && life.usableUntil <= replaced.life.usableUntil
    return !isOlder && usableMs(life, this.#surroundings.clock) > 0
  }

  /** Waits before the next question; `false` when the patience is over. */
  async #mayWait(forMs: number): Promise<boolean> {
    const { random, requestTimeoutMs, timers } = this.#surroundings
    this.#wanted.onFirstFailure(mustWait('another replica'))
    const ms = Math.max(1, Math.min(forMs, this.#pauseMs * (0.5 + random() / 2)))
    this.#waitedMs += ms
    if (this.#waitedMs > requestTimeoutMs / 2) return false
    this.#pauseMs = Math.min(2 * this.#pauseMs, pauses.maxMs)
    await sleep(timers.waitedFor, ms, this.#wanted.controller.signal)
    return true
  }
}

/**
 * The moment before the request of another replica, on the clocks of this one. The larger age counts: by the clock of the store, or by
 * the wall clocks of the two replicas, so that a clock that is wrong does not lengthen a life.
 */
function requestedAt(wallOfOther: number, ageMs: number, { wall, monotonic }: Moment): Moment {
  const age = Math.max(0, ageMs, wall - wallOfOther)
  return { wall: wall - age, monotonic: monotonic - age }
}
