import { MemoryStoreHandle } from './memory-store-handle.ts'
import { StoredName } from './stored-name.ts'
import type { ForgottenRecord } from './token-store.ts'

/** How many forgotten records the log remembers. */
const maxForgotten = 10_000

/**
 * A shared token store in memory, for several brokers in one process: each of them gets its own handle. Its time is the wall clock
 * that it is given, until {@link setNow}.
 */
export class MemoryTokenStore {
  readonly #clock: { wall(): number }
  readonly #names = new Map<string, StoredName>()
  readonly #handles: MemoryStoreHandle[] = []
  #forgotten: readonly ForgottenRecord[] = []
  /** Counts the records that the log has lost, too. */
  #forgottenCount = 0
  #aheadMs = 0

  constructor(clock: { wall(): number }) {
    this.#clock = clock
  }

  /** The store's time, in milliseconds since the Unix epoch. */
  get now(): number {
    return this.#clock.wall() + this.#aheadMs
  }

  /** Sets the store's clock, forwards or backwards; it goes on from there with the clock that it was given. */
  setNow(ms: number): void {
    this.#aheadMs = ms - this.#clock.wall()
  }

  /** A new connection to the store. */
  handle(): MemoryStoreHandle {
    const handle = new MemoryStoreHandle({
      step: (name, run) => run(this.#named(name), this.now),
      tell: forgotten => this.#tell(forgotten),
      forgottenSince: position => this.#forgottenSince(position),
    })
    this.#handles.push(handle)
    return handle
  }

  /** Loses everything, as a store that restarts without its data. */
  flush(): void {
    this.#names.clear()
    this.#forgotten = []
  }

  #named(name: string): StoredName {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const stored = new StoredName()
    this.#names.set(name, stored)
    return stored
  }

  #tell(forgotten: ForgottenRecord): void {
    this.#forgotten = [...this.#forgotten, forgotten].slice(-maxForgotten)
    this.#forgottenCount++
    for (const handle of this.#handles) handle.deliver()
  }

  #forgottenSince(position: number): { forgotten: readonly ForgottenRecord[]; position: number } {
    const missed = Math.min(this.#forgottenCount - position, this.#forgotten.length)
    return { forgotten: missed > 0 ? this.#forgotten.slice(-missed) : [], position: this.#forgottenCount }
  }
}
