import type { Surroundings } from '../../shared/surroundings.ts'
import type { GuardedStore } from './guarded-store.ts'

/** Limit of calls at the same time: a lost signing key can concern every cached token. */
const maxCalls = 16
/** Limit of records that wait; the oldest is given up. */
const maxPending = 10_000
/** Pause after a call that failed, in milliseconds. */
const pauseMs = 1_000
/**
 * Time for which the store refuses the records of earlier leases at least, in milliseconds. No replica keeps the record of a request
 * that took longer.
 */
export const forgottenMs: number = 600_000

/** A record to forget. */
export interface DroppedRecord {
  readonly fence: number
  /** The end of its token, on the monotonic clock; by then it is of no use to anybody. */
  readonly livesUntil: number
}

interface PendingForget extends DroppedRecord {
  readonly name: string
  /** The call under way. */
  call: Promise<void> | undefined
}

/** Tells the store to forget records, and repeats what failed until the tokens are expired. */
export class PendingForgets {
  readonly #surroundings: Surroundings
  readonly #store: () => GuardedStore | undefined
  readonly #pending = new Map<string, PendingForget>()
  #calls = 0
  #timer: { cancel(): void } | undefined

  constructor(surroundings: Surroundings, store: () => GuardedStore | undefined) {
    this.#surroundings = surroundings
    this.#store = store
  }

  add(name: string, { fence, livesUntil }: DroppedRecord): void {
    const known = this.#pending.get(name)
    if (known !== undefined && known.fence >= fence) return
    const [oldest] = this.#pending.keys()
    if (known === undefined && this.#pending.size >= maxPending && oldest !== undefined) {
      this.#pending.delete(oldest)
    }
    this.#pending.set(name, { name, fence, livesUntil, call: undefined })
    this.#sendNext()
  }

  /**
   * Makes the call that is due for a name, and resolves when it has ended; `undefined` when none is. A lease that is taken before it
   * would be refused its record.
   */
  sent(name: string): Promise<void> | undefined {
    const pending = this.#pending.get(name)
    if (pending !== undefined && pending.call === undefined) this.#send(pending)
    return pending?.call
  }

  /** Gives up what is pending. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#pending.clear()
  }

  #sendNext(): void {
    if (this.#timer !== undefined) return
    for (const pending of this.#pending.values()) {
      if (this.#calls >= maxCalls) return
      if (pending.call === undefined) this.#send(pending)
    }
  }

  #send(pending: PendingForget): void {
    const { name, fence, livesUntil } = pending
    const store = this.#store()
    const remainingMs = livesUntil - this.#surroundings.clock.monotonic()
    if (store === undefined || remainingMs <= 0) {
      this.#pending.delete(name)
      return
    }
    this.#calls++
    pending.call = store.forget(name, fence, Math.max(remainingMs, forgottenMs)).then(isDone => {
      this.#calls--
      pending.call = undefined
      if (this.#pending.get(name) === pending) this.#ended(pending, isDone)
      this.#sendNext()
    })
  }

  #ended({ name }: PendingForget, isDone: boolean): void {
    if (isDone) {
      this.#pending.delete(name)
      return
    }
    this.#timer ??= this.#surroundings.timers.background(() => {
      this.#timer = undefined
      this.#sendNext()
    }, pauseMs)
  }
}
