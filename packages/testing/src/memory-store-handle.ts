import type { StoredName } from './stored-name.ts'
import type { ForgottenRecord, LeaseAnswer, LeaseRequest, StoredRecord, TokenStore } from './token-store.ts'

/** The memory behind a handle. */
export interface StoreMemory {
  /** Does one step on a name. */
  step<T>(name: string, run: (stored: StoredName, now: number) => T): T
  tell(forgotten: ForgottenRecord): void
  /** The records forgotten after a position in the log, and the position now. */
  forgottenSince(position: number): {
    readonly forgotten: readonly ForgottenRecord[]
    readonly position: number
  }
}

/**
 * `hang`: no call settles. `fail`: each call rejects, with the code `ECONNREFUSED`. Neither changes anything in the store, and
 * listeners hear what they have missed when the fault ends.
 */
export type StoreFault = 'hang' | 'fail'

export type StoreOperation = 'get' | 'lease' | 'put' | 'release' | 'forget'

/** A broker's connection to a {@link MemoryTokenStore}. A test can break it without breaking the others. */
export class MemoryStoreHandle implements TokenStore {
  /** Calls by operation, also those that a fault swallowed. */
  readonly counts: Record<StoreOperation, number> = { get: 0, lease: 0, put: 0, release: 0, forget: 0 }
  readonly #memory: StoreMemory
  readonly #listeners = new Set<(forgotten: readonly ForgottenRecord[]) => void>()
  #position = 0
  #fault: StoreFault | undefined
  #losesNextAnswer = false

  constructor(memory: StoreMemory) {
    this.#memory = memory
  }

  get fault(): StoreFault | undefined {
    return this.#fault
  }

  set fault(fault: StoreFault | undefined) {
    this.#fault = fault
    this.deliver()
  }

  /** All calls so far. */
  get calls(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0)
  }

  /** The next call is done in the store, and its promise never settles. */
  loseNextAnswer(): void {
    this.#losesNextAnswer = true
  }

  get(name: string, newerThan: number): Promise<StoredRecord | undefined> {
    return this.#step('get', name, (stored, now) => stored.get(newerThan, now))
  }

  lease(name: string, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#step('lease', name, (stored, now) => stored.lease(request, now))
  }

  put(
    name: string,
    { value, fence, keepMs }: { value: Uint8Array; fence: number; keepMs: number },
  ): Promise<boolean> {
    return this.#step('put', name, (stored, now) => stored.put(value, fence, keepMs, now))
  }

  release(name: string, fence: number): Promise<void> {
    return this.#step('release', name, stored => stored.release(fence))
  }

  forget(name: string, fence: number, keepMs: number): Promise<void> {
    return this.#step('forget', name, (stored, now) => {
      stored.forget(fence, keepMs, now)
      this.#memory.tell({ name, fence })
    })
  }

  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void {
    if (this.#listeners.size === 0) this.#position = this.#memory.forgottenSince(0).position
    // A new function for each call, so that a listener that is added twice can be removed twice.
    const own = (forgotten: readonly ForgottenRecord[]) => listener(forgotten)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  /** Tells the listeners what was forgotten since the last time, unless the handle has a fault. */
  deliver(): void {
    if (this.#fault !== undefined || this.#listeners.size === 0) return
    const { forgotten, position } = this.#memory.forgottenSince(this.#position)
    this.#position = position
    if (forgotten.length > 0) for (const listener of this.#listeners) listener(forgotten)
  }

  /** Async, so that an error of a step is a rejection. */
  async #step<T>(
    operation: StoreOperation,
    name: string,
    run: (stored: StoredName, now: number) => T,
  ): Promise<T> {
    this.counts[operation]++
    if (this.#fault === 'hang') return new Promise(() => {})
    if (this.#fault === 'fail') {
      throw Object.assign(new Error('the store is down'), { code: 'ECONNREFUSED' })
    }
    const answer = this.#memory.step(name, run)
    if (!this.#losesNextAnswer) return answer
    this.#losesNextAnswer = false
    return new Promise(() => {})
  }
}
