import type { TokenStore } from './token-store.ts'

/** A store under test: two handles on the same empty store, as two processes have them. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly one: TokenStore
  readonly other: TokenStore
  /** Lets time pass in the store, in milliseconds; a real store takes them. */
  pass(ms: number): Promise<void>
  /** Loses everything that is in the store. */
  wipe(): Promise<void>
  /** Sets the store's clock back, in milliseconds. Without it the tests that need it are left out. */
  turnBack?: ((ms: number) => Promise<void>) | undefined
}

export interface ContractOptions {
  /** Opens an empty store. */
  open(): Promise<StoreUnderTest>
  /** How long a lease or a record lives that a test waits for, in milliseconds. */
  readonly shortMs: number
}

/** Registers the tests of every promise of `SharedTokenStore`, for one kind of store. */
export function sharedTokenStoreContract(_kind: string, _options: ContractOptions): void {}
