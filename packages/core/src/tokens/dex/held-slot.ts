import type { Clock } from '../../shared/clock.ts'
import type { Applicant, Slots } from './slots.ts'

/** The slot of an attempt. It is free for others while the attempt waits for something other than Dex. */
export class HeldSlot {
  readonly #slots: Slots
  readonly #applicant: Applicant
  readonly #clock: Clock
  /** `undefined` while the slot is not held. */
  #since: number | undefined

  /** The slot must have been entered. */
  constructor(slots: Slots, applicant: Applicant, clock: Clock) {
    this.#slots = slots
    this.#applicant = applicant
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  /** Releases the slot, if it is held. */
  leave(): void {
    if (this.#since === undefined) return
    const tookMs = this.#clock.monotonic() - this.#since
    this.#since = undefined
    this.#slots.leave(this.#applicant, tookMs)
  }

  /**
   * Waits without the slot, and then for a slot. Rejects with the signal's reason, and like `enter` of the slots; `wait` must not
   * reject.
   */
  async without<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
    this.leave()
    const value = await wait
    signal.throwIfAborted()
    await this.#slots.enter(this.#applicant, signal)
    this.#since = this.#clock.monotonic()
    return value
  }
}
