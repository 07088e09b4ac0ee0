import { SealKeys } from '../tokens/shared-store/seal-keys.ts'
import type { SharedTokenStore } from '../tokens/shared-store/shared-token-store.ts'
import { optionRules, type SharedStoreOptions } from './broker-options.ts'
import { assertOptionNumber } from './option-numbers.ts'
import { assertKnownNames, strings, withMethods } from './option-values.ts'

/** The option `sharedStore`, validated. */
export interface ResolvedSharedStore {
  readonly store: SharedTokenStore
  readonly keyTexts: readonly string[]
  readonly keys: SealKeys
  readonly timeoutMs: number
}

const names: { readonly [Name in keyof Required<SharedStoreOptions>]: true } = {
  store: true,
  keys: true,
  timeoutMs: true,
}
const methods: { readonly [Name in keyof SharedTokenStore]: true } = {
  get: true,
  lease: true,
  put: true,
  release: true,
  forget: true,
  onForgotten: true,
}

/** Validates the option `sharedStore`. */
export function resolveSharedStore(options: SharedStoreOptions | undefined): ResolvedSharedStore | undefined {
  if (options === undefined || options === null) return undefined
  assertKnownNames(options, Object.keys(names), 'sharedStore.')
  const { store, keys } = options
  if (typeof store !== 'object' || store === null) throw new TypeError('sharedStore.store must be a store')
  withMethods(store, 'sharedStore.store', Object.keys(methods) as (keyof SharedTokenStore)[])
  const keyTexts = strings(keys, 'sharedStore.keys')
  const rule = optionRules['sharedStore.timeoutMs']
  const timeoutMs = options.timeoutMs ?? rule.default
  assertOptionNumber(timeoutMs, 'sharedStore.timeoutMs', rule)
  return { store, keyTexts, keys: new SealKeys(keyTexts), timeoutMs }
}
