import type { CallReceiver } from './call-receiver.ts'

/**
 * Calls that wait for their caller, to send a message or to read the answer, the oldest first. A linked list, because each call is here
 * for a moment only, and the table of a `Map` would be made anew every few calls.
 */
export class WaitingCalls {
  #first: CallReceiver | undefined
  #last: CallReceiver | undefined
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Adds a call, which is the newest one; does nothing for one that is there. */
  add(receiver: CallReceiver, now: number): void {
    if (receiver.waitsIn === this) return
    receiver.waitsIn = this
    this.#count++
    receiver.since = now
    receiver.previous = this.#last
    if (this.#last === undefined) this.#first = receiver
    else this.#last.next = receiver
    this.#last = receiver
  }

  /** Removes a call; does nothing for one that is not there. */
  delete(receiver: CallReceiver): void {
    const { previous, next } = receiver
    if (receiver.waitsIn !== this) return
    receiver.waitsIn = undefined
    this.#count--
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    receiver.previous = undefined
    receiver.next = undefined
  }

  /** Removes the oldest call, if it is here since then or longer. */
  takeOlderThan(since: number): CallReceiver | undefined {
    return this.#first !== undefined && this.#first.since <= since ? this.takeOldest() : undefined
  }

  /** Removes the oldest call. */
  takeOldest(): CallReceiver | undefined {
    const oldest = this.#first
    if (oldest !== undefined) this.delete(oldest)
    return oldest
  }
}
