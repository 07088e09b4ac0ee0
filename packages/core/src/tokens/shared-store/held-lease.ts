import { type Clock, elapsedMs, type Moment, momentOf } from '../../shared/clock.ts'
import type { ObtainedToken } from '../token-origin.ts'
import type { GuardedStore } from './guarded-store.ts'
import { forgottenMs } from './pending-forgets.ts'
import type { SharedMark } from './shared-mark.ts'

/** Time after which others get the lease of a replica that died, in milliseconds: so long a check may have to wait for nothing. */
export const leaseMs = 1_000
/** Interval of extensions: two of them may fail. */
const extendMs = 300
/** A request that took longer may be older than a drop that the store has forgotten; in milliseconds. */
const maxRequestMs = forgottenMs / 2

/** The permission to request a token on behalf of all replicas. Extends itself until it ends, with exactly one of its two ends. */
export class HeldLease {
  readonly mark: SharedMark
  readonly #store: GuardedStore
  readonly #name: string
  readonly #newerThan: number
  readonly #clock: Clock
  readonly #since: Moment
  readonly #timer: NodeJS.Timeout

  constructor(
    store: GuardedStore,
    mark: SharedMark,
    { newerThan, clock }: { newerThan: number; clock: Clock },
  ) {
    this.mark = mark
    this.#store = store
    this.#name = mark.names[0] ?? ''
    this.#newerThan = newerThan
    this.#clock = clock
    this.#since = momentOf(clock)
    this.#timer = setInterval(() => void this.#extend(), extendMs).unref()
  }

  /** Ends it with a token, for `keepMs` milliseconds. Nobody waits for that. */
  keep({ response, requestedAt }: ObtainedToken, keepMs: number): void {
    if (keepMs <= 0 || elapsedMs(this.#since, this.#clock) > maxRequestMs) {
      this.release()
      return
    }
    clearInterval(this.#timer)
    const token = { ...response, requestedAt: requestedAt.wall }
    void this.#store.put(this.#name, { token, fence: this.mark.fence, keepMs })
  }

  /** Ends it without a token: the next replica that waits gets it. */
  release(): void {
    clearInterval(this.#timer)
    void this.#store.release(this.#name, this.mark.fence)
  }

  async #extend(): Promise<void> {
    const { fence: held } = this.mark
    const answer = await this.#store.lease(this.#name, { leaseMs, newerThan: this.#newerThan, held })
    if (answer === undefined || (answer.kind === 'leased' && answer.fence === held)) return
    // It is lost, and its record would be older than the next lease: that one is for others.
    clearInterval(this.#timer)
    if (answer.kind === 'leased') void this.#store.release(this.#name, answer.fence)
  }
}
