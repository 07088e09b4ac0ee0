import type { CallReceiver } from './call-receiver.ts'

/**
 * Calls whose message has not arrived, the oldest first. A linked list, because each call is here for a moment only, and the table of a
 * `Map` would be made anew every few calls.
 */
export class ReceivingCalls {
  #first: CallReceiver | undefined
  #last: CallReceiver | undefined

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  /** Adds a call, which is the newest one. */
  add(receiver: CallReceiver, now: number): void {
    receiver.since = now
    receiver.previous = this.#last
    if (this.#last === undefined) this.#first = receiver
    else this.#last.next = receiver
    this.#last = receiver
  }

  /** Removes a call; does nothing for one that is not there. */
  delete(receiver: CallReceiver): void {
    const { previous, next } = receiver
    if (previous === undefined && this.#first !== receiver) return
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    receiver.previous = undefined
    receiver.next = undefined
  }

  /** Removes the oldest call, if it is here since then or longer. */
  takeOlderThan(since: number): CallReceiver | undefined {
    const oldest = this.#first
    if (oldest === undefined || oldest.since > since) return undefined
    this.delete(oldest)
    return oldest
  }
}
