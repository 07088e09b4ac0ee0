import { describe, expect, test } from 'vitest'
import { type ContractOptions, keep, leaseKind, longMs, newName, put, take } from './store-under-test.ts'

/** The promises of a store about leases. */
export function leasesContract({ open, shortMs }: ContractOptions): void {
  describe('a lease', () => {
    test('goes to one of all who ask at once; the others learn how long it lasts', async () => {
      await using store = await open()
      const name = newName()
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (index % 2 === 0 ? store.one : store.other).lease(name, { leaseMs: longMs, newerThan: 0 }),
        ),
      )
      expect(answers.filter(({ kind }) => kind === 'leased')).toHaveLength(1)
      const waits = answers.flatMap(answer => (answer.kind === 'held' ? [answer.forMs] : []))
      expect(waits).toHaveLength(39)
      expect(Math.min(...waits)).toBeGreaterThan(0)
      expect(Math.max(...waits)).toBeLessThanOrEqual(longMs)
    })

    test('of one name leaves the lease of another one free', async () => {
      await using store = await open()
      await take(store.one, newName())
      expect(await leaseKind(store.other, newName())).toBe('leased')
    })

    test('is not given where there is a newer record: the record is the answer', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      const answer = await store.other.lease(name, { leaseMs: longMs, newerThan: fence - 1 })
      expect(answer).toMatchObject({ kind: 'record', record: { fence } })
      expect(await leaseKind(store.one, name)).toBe('record')
    })

    test('is given where the record is not newer', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      expect(await take(store.other, name, { newerThan: fence })).toBeGreaterThan(fence)
    })

    test('has a fence above all earlier ones of its name, and above the one that must be outdone', async () => {
      await using store = await open()
      const name = newName()
      const fences = [0]
      for (let index = 0; index < 20; index++) {
        const handle = index % 2 === 0 ? store.one : store.other
        const fence = await take(handle, name)
        fences.push(fence)
        await handle.release(name, fence)
      }
      const beyond = Math.max(...fences) + 1e12
      fences.push(await take(store.one, name, { newerThan: beyond }))
      await store.one.release(name, fences.at(-1) ?? 0)
      fences.push(await take(store.other, name))
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b))
      expect(fences.at(-2)).toBeGreaterThan(beyond)
      expect(fences.every(Number.isSafeInteger)).toBe(true)
    })

    test('ends with the record of its fence', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      expect(await leaseKind(store.other, name, fence)).toBe('leased')
    })

    test('ends with its release', async () => {
      await using store = await open()
      const name = newName()
      const fence = await take(store.one, name)
      expect(await leaseKind(store.other, name)).toBe('held')
      await store.one.release(name, fence)
      expect(await leaseKind(store.other, name)).toBe('leased')
    })

    test('ends with its time, so that a replica that died delays the others by no more', async () => {
      await using store = await open()
      const name = newName()
      const fence = await take(store.one, name, { leaseMs: shortMs })
      await store.pass(shortMs + 1)
      expect(await take(store.other, name)).toBeGreaterThan(fence)
    })

    test('does not end with the release of an earlier one', async () => {
      await using store = await open()
      const name = newName()
      const lost = await take(store.one, name, { leaseMs: shortMs })
      await store.pass(shortMs + 1)
      await take(store.other, name)
      await store.one.release(name, lost)
      expect(await leaseKind(store.one, name)).toBe('held')
    })

    test('does not end with the late record of an earlier one', async () => {
      await using store = await open()
      const name = newName()
      const lost = await take(store.one, name, { leaseMs: shortMs })
      await store.pass(shortMs + 1)
      const fence = await take(store.other, name)
      expect(await put(store.one, name, 'late', lost)).toBe(true)
      expect(await leaseKind(store.one, name, lost)).toBe('held')
      expect(await put(store.other, name, 'newer', fence)).toBe(true)
    })

    test('is extended by who has it, under the same fence', async () => {
      await using store = await open()
      const name = newName()
      const held = await take(store.one, name)
      expect(await take(store.one, name, { held, leaseMs: 2 * longMs })).toBe(held)
      const answer = await store.other.lease(name, { leaseMs: longMs, newerThan: 0 })
      expect(answer.kind === 'held' && answer.forMs).toBeGreaterThan(longMs)
    })

    test('is not extended when it is lost', async () => {
      await using store = await open()
      const name = newName()
      const held = await take(store.one, name, { leaseMs: shortMs })
      await store.pass(shortMs + 1)
      await take(store.other, name)
      const answer = await store.one.lease(name, { leaseMs: 2 * longMs, newerThan: 0, held })
      expect(answer.kind === 'held' && answer.forMs).toBeLessThanOrEqual(longMs)
    })

    test('of who asks for an extension gives way to a newer record', async () => {
      await using store = await open()
      const name = newName()
      const held = await take(store.one, name, { leaseMs: shortMs })
      await store.pass(shortMs + 1)
      const fence = await keep(store.other, name, 'token')
      const answer = await store.one.lease(name, { leaseMs: longMs, newerThan: 0, held })
      expect(answer).toMatchObject({ kind: 'record', record: { fence } })
    })

    test('starts anew in a store that has lost everything, and no late record overwrites a newer one', async () => {
      await using store = await open()
      const name = newName()
      const late = await take(store.one, name)
      await store.wipe()
      await store.pass(1)
      const fence = await keep(store.other, name, 'newer')
      expect(fence).toBeGreaterThan(late)
      expect(await put(store.one, name, 'late', late)).toBe(false)
    })
  })
}
