import { describe, expect, test } from 'vitest'
import {
  bytes,
  type ContractOptions,
  contentOf,
  keep,
  longMs,
  newName,
  put,
  take,
} from './store-under-test.ts'

/** The promises of a store about records. */
export function recordsContract({ open, shortMs }: ContractOptions): void {
  describe('a record', () => {
    test('is absent under a name that nobody has used', async () => {
      await using store = await open()
      expect(await store.one.get(newName(), 0)).toBeUndefined()
    })

    test('reaches every replica byte by byte, with its fence', async () => {
      await using store = await open()
      const name = newName()
      const fence = await take(store.one, name)
      const value = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
      expect(await store.one.put(name, { value, fence, keepMs: longMs })).toBe(true)
      for (const handle of [store.one, store.other]) {
        const record = await handle.get(name, 0)
        expect(record?.fence).toBe(fence)
        expect(Buffer.compare(record?.value ?? bytes(''), value)).toBe(0)
      }
    })

    test('is an answer only to who wants one that is newer than an older fence', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      expect((await store.other.get(name, fence - 1))?.fence).toBe(fence)
      expect(await store.other.get(name, fence)).toBeUndefined()
      expect(await store.other.get(name, fence + 1)).toBeUndefined()
    })

    test('is as old as its fence, and not as its put', async () => {
      await using store = await open()
      const name = newName()
      const fence = await take(store.one, name)
      await store.pass(shortMs)
      await put(store.one, name, 'token', fence)
      // The fence is in microseconds, and the clock can be read in milliseconds.
      expect((await store.other.get(name, 0))?.ageMs).toBeGreaterThanOrEqual(shortMs - 1)
      await store.pass(shortMs)
      expect((await store.other.get(name, 0))?.ageMs).toBeGreaterThanOrEqual(2 * shortMs - 1)
    })

    test('has an age of 0 at least, also with a fence from the future', async () => {
      await using store = await open()
      const name = newName()
      const beyond = (await keep(store.one, name, 'token')) + 1e12
      const later = await take(store.one, name, { newerThan: beyond })
      await put(store.one, name, 'token', later)
      expect((await store.other.get(name, 0))?.ageMs).toBe(0)
    })

    test('lives for as long as its put says', async () => {
      await using store = await open()
      const [short, long] = [newName(), newName()]
      await put(store.one, short, 'short', await take(store.one, short), shortMs)
      await put(store.one, long, 'long', await take(store.one, long))
      await store.pass(shortMs + 1)
      expect(await store.other.get(short, 0)).toBeUndefined()
      expect((await store.other.lease(short, { leaseMs: longMs, newerThan: 0 })).kind).toBe('leased')
      expect(await contentOf(store.other, long)).toBe('long')
    })

    test('gives way to a newer one', async () => {
      await using store = await open()
      const name = newName()
      const first = await keep(store.one, name, 'first')
      const second = await keep(store.other, name, 'second', first)
      expect(second).toBeGreaterThan(first)
      expect(await contentOf(store.one, name)).toBe('second')
    })

    test('does not give way to an older one, which is refused', async () => {
      await using store = await open()
      const name = newName()
      const late = await take(store.one, name)
      await store.one.release(name, late)
      await keep(store.other, name, 'newer')
      expect(await put(store.one, name, 'late', late)).toBe(false)
      expect(await contentOf(store.one, name)).toBe('newer')
    })

    test('is kept under its own name alone', async () => {
      await using store = await open()
      const [name, neighbour] = [newName(), newName()]
      await keep(store.one, name, 'token')
      expect(await store.one.get(neighbour, 0)).toBeUndefined()
      const fence = await keep(store.one, neighbour, 'neighbour')
      await store.one.forget(neighbour, fence, longMs)
      expect(await contentOf(store.other, name)).toBe('token')
    })
  })
}
