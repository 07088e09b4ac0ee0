import { type Pauses, pauseAfter } from '../../shared/backoff.ts'
import type { Clock } from '../../shared/clock.ts'

/** The jitter: up to this part of the usable life earlier, so that tokens that were issued together are not refreshed together. */
const maxEarlier = 0.1
const pauses: Pauses = { firstMs: 1_000, maxMs: 15_000 }
const retryJitter = 0.2

export interface RefreshPolicy {
  /** From this part of the usable life on; 1 turns refreshing ahead off. */
  readonly aheadRatio: number
  readonly clock: Clock
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number
}

/** When one cached token is to be replaced while it is still good: ahead of its end, and again after each failure. */
export class RefreshSchedule {
  readonly #policy: RefreshPolicy
  #dueAt: number
  #failures = 0
  #mayPass = false

  /** Both in milliseconds on the monotonic clock. */
  constructor(policy: RefreshPolicy, life: { readonly from: number; readonly until: number }) {
    const { aheadRatio, random } = policy
    const earlier = aheadRatio < 1 ? random() * maxEarlier : 0
    this.#policy = policy
    this.#dueAt = life.from + (life.until - life.from) * Math.max(0, aheadRatio - earlier)
  }

  get isDue(): boolean {
    return this.#policy.clock.monotonic() >= this.#dueAt
  }

  /** Whether the last try failed a moment ago by something that can pass by itself, and the next one is not due. */
  get isPaused(): boolean {
    return this.#mayPass && !this.isDue
  }

  /** The pause grows from 1 s to 15 s, give or take a fifth. */
  failed({ transient }: { readonly transient: boolean }): void {
    this.#mayPass = transient
    this.#failures++
    const jitter = 1 + retryJitter * (2 * this.#policy.random() - 1)
    this.#dueAt = this.#policy.clock.monotonic() + pauseAfter(this.#failures, pauses) * jitter
  }
}
