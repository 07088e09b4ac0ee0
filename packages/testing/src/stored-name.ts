import type { LeaseAnswer, LeaseRequest, StoredRecord } from './token-store.ts'

/** The fence of a time: whole microseconds. */
function fenceAt(now: number): number {
  return Math.floor(now * 1000)
}

/** A name of a store in memory, with its record and its lease. Each method is one step, at a time in milliseconds since the Unix epoch. */
export class StoredName {
  #record: { readonly value: Uint8Array; readonly fence: number; readonly endsAt: number } | undefined
  #lease: { readonly fence: number; readonly endsAt: number; readonly leaseMs: number } | undefined
  #lastFence = 0
  /** The last fence of a forgotten lease, and for how long it counts. */
  #forgotten = { fence: 0, endsAt: 0 }

  get(newerThan: number, now: number): StoredRecord | undefined {
    const record = this.#recordAt(now)
    if (record === undefined || record.fence <= newerThan) return undefined
    const { value, fence } = record
    // A copy, as over a connection.
    return { value: Uint8Array.from(value), fence, ageMs: Math.max(0, now - fence / 1000) }
  }

  lease({ leaseMs, newerThan, held }: LeaseRequest, now: number): LeaseAnswer {
    const record = this.get(newerThan, now)
    if (record !== undefined) return { kind: 'record', record }
    const lease = this.#leaseAt(now)
    if (lease !== undefined && lease.fence !== held) return { kind: 'held', forMs: lease.endsAt - now }
    const isExtended = lease !== undefined && lease.fence > newerThan
    const fence = isExtended ? lease.fence : Math.max(this.#lastFence + 1, fenceAt(now), newerThan + 1)
    this.#lastFence = Math.max(this.#lastFence, fence)
    this.#lease = { fence, endsAt: now + leaseMs, leaseMs }
    return { kind: 'leased', fence }
  }

  put(value: Uint8Array, fence: number, keepMs: number, now: number): boolean {
    this.release(fence)
    const isForgotten = fence <= this.#forgotten.fence && now < this.#forgotten.endsAt
    if (isForgotten || (this.#recordAt(now)?.fence ?? 0) > fence) return false
    this.#record = { value: Uint8Array.from(value), fence, endsAt: now + keepMs }
    this.#lastFence = Math.max(this.#lastFence, fence)
    return true
  }

  release(fence: number): void {
    if (this.#lease?.fence === fence) this.#lease = undefined
  }

  /** Changes nothing when the record is newer, nor a later lease when the record was forgotten before. */
  forget(fence: number, keepMs: number, now: number): void {
    if ((this.#recordAt(now)?.fence ?? 0) > fence) return
    if (now < this.#forgotten.endsAt && fence <= this.#forgotten.fence) {
      this.#forgotten.endsAt = Math.max(this.#forgotten.endsAt, now + keepMs)
      return
    }
    this.#record = undefined
    this.#lease = undefined
    this.#forgotten = {
      // Also the leases from before a loss of everything: all of them are earlier times.
      fence: Math.max(this.#forgotten.fence, this.#lastFence, fence, fenceAt(now)),
      endsAt: Math.max(this.#forgotten.endsAt, now + keepMs),
    }
    this.#lastFence = this.#forgotten.fence
  }

  #recordAt(now: number) {
    return this.#record !== undefined && now < this.#record.endsAt ? this.#record : undefined
  }

  /** A lease that would last longer than its own length is from before the clock went back. */
  #leaseAt(now: number) {
    const lease = this.#lease
    if (lease === undefined || now >= lease.endsAt || lease.endsAt - now > lease.leaseMs) return undefined
    return lease
  }
}
