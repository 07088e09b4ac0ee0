import type {
  ForgottenRecord,
  LeaseAnswer,
  LeaseRequest,
  SharedTokenStore,
} from '../../../../src/tokens/shared-store/shared-token-store.ts'
import type { ModelStore } from './scenario.ts'

/** A promise of the store's port that it does not keep. */
export type Mistake =
  | 'keeps what was forgotten'
  | 'replaces newer records'
  | "ends others' leases"
  | 'gives two leases'
  | 'answers with older records'
  | 'ends leases again'

interface Named {
  record: { readonly value: Uint8Array; readonly fence: number } | undefined
  lease: { readonly fence: number; readonly endsAt: number } | undefined
  last: number
  forgotten: number
}

/** A store in memory, good for one model run, with one mistake or none. */
export class MistakenStore implements ModelStore {
  readonly #clock: { wall(): number }
  readonly #mistake: Mistake | undefined
  readonly #listeners: ((forgotten: readonly ForgottenRecord[]) => void)[] = []
  #names = new Map<string, Named>()
  #aheadMs = 0

  constructor(clock: { wall(): number }, mistake?: Mistake) {
    this.#clock = clock
    this.#mistake = mistake
  }

  get now(): number {
    return this.#clock.wall() + this.#aheadMs
  }

  setNow(ms: number): void {
    this.#aheadMs = ms - this.#clock.wall()
  }

  flush(): void {
    this.#names = new Map()
  }

  handle(): SharedTokenStore {
    return {
      get: async (name, newerThan) => this.#get(this.#named(name), newerThan),
      lease: async (name, request) => this.#lease(this.#named(name), request),
      put: async (name, record) => this.#put(this.#named(name), record),
      release: async (name, fence) => this.#release(this.#named(name), fence),
      forget: async (name, fence) => {
        this.#forget(this.#named(name), fence)
        for (const listener of this.#listeners) listener([{ name, fence }])
      },
      onForgotten: listener => {
        this.#listeners.push(listener)
        return () => {}
      },
    }
  }

  #named(name: string): Named {
    const named = this.#names.get(name) ?? { record: undefined, lease: undefined, last: 0, forgotten: 0 }
    this.#names.set(name, named)
    return named
  }

  #get({ record }: Named, newerThan: number) {
    const isNewer = (record?.fence ?? 0) > newerThan || this.#mistake === 'answers with older records'
    return record && isNewer ? { ...record, ageMs: Math.max(0, this.now - record.fence / 1000) } : undefined
  }

  #lease(named: Named, { newerThan, leaseMs, held }: LeaseRequest): LeaseAnswer {
    const record = this.#get(named, newerThan)
    if (record !== undefined) return { kind: 'record', record }
    const { lease } = named
    const isOut = lease !== undefined && this.now < lease.endsAt && this.#mistake !== 'gives two leases'
    if (isOut && lease.fence !== held) return { kind: 'held', forMs: lease.endsAt - this.now }
    const fence = isOut ? lease.fence : Math.max(named.last, newerThan, Math.floor(this.now * 1000) - 1) + 1
    named.last = fence
    named.lease = { fence, endsAt: this.now + leaseMs }
    return { kind: 'leased', fence }
  }

  #put(named: Named, { value, fence }: { value: Uint8Array; fence: number }): boolean {
    this.#release(named, fence)
    const isOlder = (named.record?.fence ?? 0) > fence && this.#mistake !== 'replaces newer records'
    const isForgotten = fence <= named.forgotten && this.#mistake !== 'keeps what was forgotten'
    if (isOlder || isForgotten) return false
    named.record = { value, fence }
    return true
  }

  #release(named: Named, fence: number): void {
    if (named.lease?.fence === fence || this.#mistake === "ends others' leases") named.lease = undefined
  }

  #forget(named: Named, fence: number): void {
    if ((named.record?.fence ?? 0) > fence) return
    if (fence <= named.forgotten && this.#mistake !== 'ends leases again') return
    named.last = Math.max(named.last, fence, Math.floor(this.now * 1000))
    Object.assign(named, { record: undefined, lease: undefined, forgotten: named.last })
  }
}
