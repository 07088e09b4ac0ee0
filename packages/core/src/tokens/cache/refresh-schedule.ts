import { type Pauses, pauseAfter } from '../../shared/backoff.ts'
import type { Clock } from '../../shared/clock.ts'
import { wholeMs } from './token-life.ts'

/** Jitter: up to this fraction of the usable life earlier, so that tokens issued together are not refreshed together. */
const maxEarlier = 0.1
const pauses: Pauses = { firstMs: 1_000, maxMs: 15_000 }
const retryJitter = 0.2

export interface RefreshPolicy {
  /** Fraction of the usable life after which a refresh is due; 1 turns refreshing ahead off. */
  readonly aheadRatio: number
  readonly clock: Clock
  /** Returns a number from 0 up to 1, like `Math.random`. */
  readonly random: () => number
}

/** Decides when a cached token is refreshed: ahead of its end, and again after each failure. */
export class RefreshSchedule {
  readonly #policy: RefreshPolicy
  #dueAt: number
  #failures = 0
  #mayPass = false

  /** `life`: the usable life, in milliseconds on the monotonic clock. */
  constructor(policy: RefreshPolicy, life: { readonly from: number; readonly until: number }) {
    const { aheadRatio, random } = policy
    const earlier = aheadRatio < 1 ? random() * maxEarlier : 0
    this.#policy = policy
    this.#dueAt = wholeMs(life.from + (life.until - life.from) * Math.max(0, aheadRatio - earlier))
  }

  /** On the monotonic clock. */
  get dueAt(): number {
    return this.#dueAt
  }

  get isDue(): boolean {
    return this.#policy.clock.monotonic() >= this.#dueAt
  }

  /** Whether the last attempt failed with a transient error and the next one is not due. */
  get isPaused(): boolean {
    return this.#mayPass && !this.isDue
  }

  /** Whether the last attempt failed and the next one is not due. */
  get isHeldBack(): boolean {
    return this.#failures > 0 && !this.isDue
  }

  /** Schedules the next attempt after a pause that grows from 1 s to 15 s, with 20 % jitter. */
  failed({ transient }: { readonly transient: boolean }): void {
    this.#mayPass = transient
    this.#failures++
    const jitter = 1 + retryJitter * (2 * this.#policy.random() - 1)
    this.#dueAt = wholeMs(this.#policy.clock.monotonic() + pauseAfter(this.#failures, pauses) * jitter)
  }
}
