import type { ResolvedSharedStore } from '../../options/resolve-shared-store.ts'
import type { NextParts } from '../../shared/carried-parts.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { GuardedStore, type GuardedStoreSettings } from './guarded-store.ts'
import type { SharedRecords } from './shared-records.ts'

class CarriedStore {
  readonly settings: { -readonly [Name in keyof GuardedStoreSettings]: GuardedStoreSettings[Name] }
  readonly store: GuardedStore

  constructor(surroundings: Surroundings, { store, keys, timeoutMs }: ResolvedSharedStore) {
    this.settings = { keys, timeoutMs }
    this.store = new GuardedStore(store, this.settings, surroundings)
  }

  close(): void {
    this.store.close()
  }
}

/** Uses the shared store of a set of options. Its circuit outlives a change of keys or timeout. */
export function carriedSharedStore(
  parts: NextParts,
  { surroundings, records }: { readonly surroundings: Surroundings; readonly records: SharedRecords },
  options: ResolvedSharedStore | undefined,
): void {
  if (options === undefined) {
    parts.atSwap(() => records.use(undefined))
    return
  }
  const { keys, keyTexts, timeoutMs, store } = options
  const carried = parts.take('shared store', '', [store], () => new CarriedStore(surroundings, options))
  parts.note('shared store', 'settings', [keyTexts, timeoutMs])
  parts.atSwap(() => {
    Object.assign(carried.settings, { keys, timeoutMs })
    records.use({ store: carried.store, keys })
  })
}
