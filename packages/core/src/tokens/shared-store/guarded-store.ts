import { logContext } from '../../shared/log-context.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SharedStoreStatus } from '../../status/shared-store-status.ts'
import type { SealKeys } from './seal-keys.ts'
import type {
  ForgottenRecord,
  LeaseAnswer,
  LeaseRequest,
  SharedTokenStore,
  StoredRecord,
} from './shared-token-store.ts'
import { checkedForgotten, checkedLease, checkedRecord } from './store-answers.ts'
import { StoreGuard, type StoreReading } from './store-guard.ts'
import type { TokenRecord } from './token-record.ts'

/** The settings of a guarded store. Read at each call: a reconfiguration replaces the members in place. */
export interface GuardedStoreSettings {
  readonly keys: SealKeys
  /** Limit of each call, in milliseconds. */
  readonly timeoutMs: number
}

/** A record of the store, opened. */
export interface OpenedRecord {
  readonly fence: number
  /** Time since the store handed out the fence, by the store's clock, in milliseconds. */
  readonly ageMs: number
  /** `undefined` when no key opens it. A request for what is newer than `fence` then gets a lease. */
  readonly token: TokenRecord | undefined
}

/** The answer to a request for a lease. */
export type GuardedLease =
  | { readonly kind: 'record'; readonly record: OpenedRecord }
  | Exclude<LeaseAnswer, { readonly kind: 'record' }>

/** A record to seal and keep. */
export interface RecordToKeep {
  readonly token: TokenRecord
  readonly fence: number
  readonly keepMs: number
}

/** A name that no record has. */
const probeName = 'probe'

/**
 * A shared store whose failure is a miss: seals and opens records, bounds the time of each call, checks each answer, and makes no
 * calls while its circuit is open. No method rejects. Without an answer `get` and `lease` return `undefined`, the others `false`.
 */
export class GuardedStore {
  readonly #store: SharedTokenStore
  readonly #settings: GuardedStoreSettings
  readonly #surroundings: Surroundings
  readonly #guard: StoreGuard

  constructor(store: SharedTokenStore, settings: GuardedStoreSettings, surroundings: Surroundings) {
    this.#store = store
    this.#settings = settings
    this.#surroundings = surroundings
    this.#guard = new StoreGuard(surroundings, () => this.get(probeName, 0))
  }

  /** Returns the record of a name when it is newer than a fence (0: any). */
  get(name: string, newerThan: number): Promise<OpenedRecord | undefined> {
    return this.#guard.call<OpenedRecord | undefined>({
      operation: 'get',
      timeoutMs: this.#settings.timeoutMs,
      ask: () => this.#store.get(name, newerThan),
      read: answer => {
        if (answer === undefined || answer === null) return { outcome: 'none', value: undefined }
        const record = checkedRecord(answer, newerThan)
        return record && this.#open(name, record)
      },
    })
  }

  /** Returns a newer record, else a lease or its extension, else the time for which another replica has it. */
  lease(name: string, request: LeaseRequest): Promise<GuardedLease | undefined> {
    return this.#guard.call<GuardedLease>({
      operation: 'lease',
      timeoutMs: this.#settings.timeoutMs,
      ask: () => this.#store.lease(name, request),
      read: answer => {
        const lease = checkedLease(answer, request.newerThan)
        if (lease?.kind !== 'record') return lease && { outcome: lease.kind, value: lease }
        const { outcome, value: record } = this.#open(name, lease.record)
        return { outcome, value: { kind: 'record', record } }
      },
    })
  }

  /** Seals and keeps a record, and ends the lease of its fence. `false` also when the store refuses it. */
  async put(name: string, { token, fence, keepMs }: RecordToKeep): Promise<boolean> {
    const { keys, timeoutMs } = this.#settings
    const kept = await this.#guard.call<boolean>({
      operation: 'put',
      timeoutMs,
      ask: () => this.#store.put(name, { value: keys.seal(name, fence, token), fence, keepMs }),
      read: answer =>
        typeof answer === 'boolean' ? { outcome: answer ? 'kept' : 'refused', value: answer } : undefined,
    })
    return kept ?? false
  }

  /** Ends the lease of a fence without a record. */
  release(name: string, fence: number): Promise<boolean> {
    return this.#tell('release', () => this.#store.release(name, fence))
  }

  /** Removes a record unless it is newer, refuses the records of all leases so far, and tells all replicas. */
  forget(name: string, fence: number, keepMs: number): Promise<boolean> {
    return this.#tell('forget', () => this.#store.forget(name, fence, keepMs))
  }

  /** Calls a listener with records that any replica has forgotten. Returns a function that ends it. */
  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void {
    let isListening = true
    const end = this.#listen(batch => {
      const forgotten = isListening ? checkedForgotten(batch) : []
      if (forgotten.length > 0) listener(forgotten)
    })
    return () => {
      if (isListening) end()
      isListening = false
    }
  }

  status(): SharedStoreStatus {
    return this.#guard.status()
  }

  /** Ends the reports about the store, which stays open. */
  close(): void {
    this.#guard.close()
  }

  #open(name: string, { value, fence, ageMs }: StoredRecord): StoreReading<OpenedRecord> {
    const token = this.#settings.keys.open(name, fence, value)
    return { outcome: token === undefined ? 'unreadable' : 'record', value: { fence, ageMs, token } }
  }

  async #tell(operation: 'release' | 'forget', ask: () => Promise<void>): Promise<boolean> {
    const { timeoutMs } = this.#settings
    const read = () => ({ outcome: 'done', value: true }) as const
    return (await this.#guard.call<boolean>({ operation, timeoutMs, ask, read })) ?? false
  }

  #listen(listener: (batch: unknown) => void): () => void {
    // The connection of the store may have been opened in the code of a check.
    const hear = (batch: unknown) => logContext.without(() => listener(batch))
    const end = this.#safely(() => this.#store.onForgotten(hear))
    return () => this.#safely(() => end?.())
  }

  #safely<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch {
      const hint = 'report it to the author of the store: onForgotten must not throw'
      this.#surroundings.logger.error({ hint }, 'shared store failed to watch forgotten tokens')
      return undefined
    }
  }
}
