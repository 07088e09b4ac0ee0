import { elapsedMs, type Moment, momentOf } from '../../shared/clock.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
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
  readonly #surroundings: Surroundings
  readonly #since: Moment
  #timer: { cancel(): void }

  constructor(store: GuardedStore, mark: SharedMark, newerThan: number, surroundings: Surroundings) {
    this.mark = mark
    this.#store = store
    this.#name = mark.names[0] ?? ''
    this.#newerThan = newerThan
    this.#surroundings = surroundings
    this.#since = momentOf(surroundings.clock)
    this.#timer = this.#nextExtension()
  }

  /** Ends it with a token, for `keepMs` milliseconds. Nobody waits for that. */
  keep({ response, requestedAt }: ObtainedToken, keepMs: number): void {
    if (keepMs <= 0 || elapsedMs(this.#since, this.#surroundings.clock) > maxRequestMs) {
      this.release()
      return
    }
    this.#timer.cancel()
    const token = { ...response, requestedAt: requestedAt.wall }
    void this.#store.put(this.#name, { token, fence: this.mark.fence, keepMs })
  }

  /** Ends it without a token: the next replica that waits gets it. */
  release(): void {
    this.#timer.cancel()
    void this.#store.release(this.#name, this.mark.fence)
  }

  #nextExtension(): { cancel(): void } {
    return this.#surroundings.timers.background(() => {
      this.#timer = this.#nextExtension()
      void this.#extend()
    }, extendMs)
  }

  async #extend(): Promise<void> {
    const { fence: held } = this.mark
    const answer = await this.#store.lease(this.#name, { leaseMs, newerThan: this.#newerThan, held })
    if (answer === undefined || (answer.kind === 'leased' && answer.fence === held)) return
    // It is lost, and its record would be older than the next lease: that one is for others.
    this.#timer.cancel()
    if (answer.kind === 'leased') void this.#store.release(this.#name, answer.fence)
  }
}
