import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { LeaseRequest, TokenStore } from '../token-store.ts'

/** A store under test: two handles on the same empty store, as two processes have them. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly one: TokenStore
  readonly other: TokenStore
  /** Lets time pass in the store, in milliseconds; a real store takes that long. */
  pass(ms: number): Promise<void>
  /** Loses everything that is in the store. */
  wipe(): Promise<void>
  /** Cuts the connection of `other` while something is done. Without it, the test that needs it is left out. */
  readonly whileCutOff?: ((run: () => Promise<void>) => Promise<void>) | undefined
  /** Sets the store's clock back, in milliseconds. Without it, the tests that need it are left out. */
  readonly turnBack?: ((ms: number) => Promise<void>) | undefined
}

export interface ContractOptions {
  /** Opens an empty store; each test opens one. */
  open(): Promise<StoreUnderTest>
  /** The life of what a test lets end, in milliseconds. It need not suffice for a step: no test needs it to be alive. */
  readonly shortMs: number
  /** Whether stores have `whileCutOff`. Default: `false`. */
  readonly cutsOff?: boolean
  /** Whether stores have `turnBack`. Default: `false`. */
  readonly turnsBack?: boolean
}

/** The life of what must not end during a test, in milliseconds. */
export const longMs = 600_000

/** A name as the broker makes them. */
export function newName(): string {
  return randomBytes(32).toString('base64url')
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Takes a lease that is free, and returns its fence. */
export async function take(
  store: TokenStore,
  name: string,
  request: Partial<LeaseRequest> = {},
): Promise<number> {
  const answer = await store.lease(name, { leaseMs: longMs, newerThan: 0, ...request })
  if (answer.kind !== 'leased') throw new Error(`no lease, but ${answer.kind}`)
  return answer.fence
}

/** Keeps a record under a new lease, and returns its fence. */
export async function keep(store: TokenStore, name: string, text: string, newerThan = 0): Promise<number> {
  const fence = await take(store, name, { newerThan })
  expect(await put(store, name, text, fence)).toBe(true)
  return fence
}

export function put(
  store: TokenStore,
  name: string,
  text: string,
  fence: number,
  keepMs: number = longMs,
): Promise<boolean> {
  return store.put(name, { value: bytes(text), fence, keepMs })
}

/** The content of the record that a store has, whatever its fence. */
export async function contentOf(store: TokenStore, name: string): Promise<string | undefined> {
  const record = await store.get(name, 0)
  return record && new TextDecoder().decode(record.value)
}

/** How a store answers to a request for a lease: with a record, a lease, or that another has it. */
export async function leaseKind(store: TokenStore, name: string, newerThan = 0): Promise<string> {
  const { kind } = await store.lease(name, { leaseMs: longMs, newerThan })
  return kind
}
