import type { Surroundings } from '../../shared/surroundings.ts'
import { Topic } from '../../shared/topic.ts'
import type { CachedToken } from '../cache/token-cache.ts'
import type { SigningKey } from '../signing-key.ts'
import { DroppedRecords } from './dropped-records.ts'
import { GoneKeys } from './gone-keys.ts'
import type { GuardedStore } from './guarded-store.ts'
import { forgottenMs, PendingForgets } from './pending-forgets.ts'
import type { SealKeys } from './seal-keys.ts'
import type { SharedMark } from './shared-mark.ts'
import type { ForgottenRecord } from './shared-token-store.ts'

/** The shared store of the current options. */
export interface SharedStore {
  readonly store: GuardedStore
  /** Names the records. */
  readonly keys: SealKeys
}

/** The shared store of a broker, and the records that nobody may use. Lasts as long as the broker, also while it has no store. */
export class SharedRecords {
  /** Publishes the newest forgotten fence of each name, of records that any replica dropped. */
  readonly forgotten: Topic<ReadonlyMap<string, number>> = new Topic()
  readonly #surroundings: Surroundings
  readonly #dropped = new DroppedRecords()
  readonly #goneKeys = new GoneKeys()
  readonly #forgets: PendingForgets
  #current: SharedStore | undefined
  #endWatch: (() => void) | undefined

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#forgets = new PendingForgets(surroundings, () => this.#current?.store)
  }

  get current(): SharedStore | undefined {
    return this.#current
  }

  /** Replaces the store or its keys. Requests under way end with those that they began with. */
  use(next: SharedStore | undefined): void {
    const { store } = this.#current ?? {}
    this.#current = next
    if (next?.store === store) return
    this.#endWatch?.()
    this.#endWatch = next?.store.onForgotten(batch => this.#noteForgotten(batch))
    if (next === undefined) this.#forgets.clear()
  }

  /** The fence up to which records of these names must not be used; 0 when all of them may. */
  droppedFence(names: readonly string[]): number {
    return this.#dropped.fenceOf(names)
  }

  /** Whether the record of a token must not be used. */
  isDropped({ mark }: { readonly mark?: SharedMark | undefined }): boolean {
    return mark !== undefined && this.#dropped.has(mark)
  }

  /** Drops the records of tokens that this replica has dropped. */
  forgetTokens(tokens: readonly CachedToken[]): void {
    for (const { mark, life } of tokens) if (mark !== undefined) this.forget(mark, life.livesUntil)
  }

  /** Drops a record and all older ones, here and in all replicas. `livesUntil`: the end of its token on the monotonic clock, if known. */
  forget({ names, fence }: SharedMark, livesUntil?: number): void {
    if (this.#current === undefined) return
    const until = livesUntil ?? this.#surroundings.clock.monotonic() + forgottenMs
    for (const name of names) {
      this.#dropped.add(name, fence)
      this.#forgets.add(name, { fence, livesUntil: until })
    }
  }

  /** Resolves when the store has been told, as far as it answers, what this replica dropped under a name. */
  told(name: string): Promise<void> | undefined {
    return this.#forgets.sent(name)
  }

  /** Notes keys that an issuer lost. */
  keysGone(issuer: string, kids: ReadonlySet<string>): void {
    this.#goneKeys.add(issuer, kids)
  }

  isKeyGone(key: SigningKey | undefined): boolean {
    return this.#goneKeys.has(key)
  }

  /** Notes that Dex itself issued a token. */
  issued(accessToken: string): void {
    this.#goneKeys.signedWithKeyOf(accessToken)
  }

  close(): void {
    this.#endWatch?.()
    this.#endWatch = undefined
    this.#forgets.clear()
  }

  #noteForgotten(batch: readonly ForgottenRecord[]): void {
    const fences = new Map<string, number>()
    for (const { name, fence } of batch) {
      fences.set(name, Math.max(fence, fences.get(name) ?? 0))
      this.#dropped.add(name, fence)
    }
    this.forgotten.publish(fences)
  }
}
