/**
 * A store under test: `SharedTokenStore` of core, which this package does not import. The suite of core proves that both are the
 * same.
 */
export interface TokenStore {
  get(name: string, newerThan: number): Promise<StoredRecord | undefined>
  lease(name: string, request: LeaseRequest): Promise<LeaseAnswer>
  put(name: string, record: { value: Uint8Array; fence: number; keepMs: number }): Promise<boolean>
  release(name: string, fence: number): Promise<void>
  forget(name: string, fence: number, keepMs: number): Promise<void>
  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void
}

export interface StoredRecord {
  readonly value: Uint8Array
  readonly fence: number
  readonly ageMs: number
}

export interface LeaseRequest {
  readonly leaseMs: number
  readonly newerThan: number
  readonly held?: number | undefined
}

export type LeaseAnswer =
  | { readonly kind: 'record'; readonly record: StoredRecord }
  | { readonly kind: 'leased'; readonly fence: number }
  | { readonly kind: 'held'; readonly forMs: number }

export interface ForgottenRecord {
  readonly name: string
  readonly fence: number
}
