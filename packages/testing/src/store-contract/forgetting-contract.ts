import { describe, expect, test } from 'vitest'
import type { ForgottenRecord, TokenStore } from '../token-store.ts'
import { until } from '../until.ts'
import {
  type ContractOptions,
  contentOf,
  keep,
  leaseKind,
  longMs,
  newName,
  put,
  take,
} from './store-under-test.ts'

/** The promises of a store about forgotten records. */
export function forgettingContract({ open, shortMs, cutsOff = false }: ContractOptions): void {
  describe('a forgotten record', () => {
    test('is gone for every replica', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      await store.other.forget(name, fence, longMs)
      expect(await store.one.get(name, 0)).toBeUndefined()
      expect(await leaseKind(store.one, name)).toBe('leased')
    })

    test('stays when it is newer than the fence, and so do the leases', async () => {
      await using store = await open()
      const name = newName()
      const older = await keep(store.one, name, 'older')
      const fence = await keep(store.one, name, 'newer', older)
      const lease = await take(store.other, name, { newerThan: fence })
      await store.other.forget(name, older, longMs)
      expect(await contentOf(store.one, name)).toBe('newer')
      expect(await put(store.other, name, 'newest', lease)).toBe(true)
    })

    test('is not replaced by the record of any earlier lease, whatever its fence', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      const lease = await take(store.one, name, { newerThan: fence })
      await store.other.forget(name, fence, longMs)
      expect(await put(store.one, name, 'late', lease)).toBe(false)
      expect(await store.other.get(name, 0)).toBeUndefined()
    })

    test('is refused also where there was none yet', async () => {
      await using store = await open()
      const name = newName()
      const lease = await take(store.one, name)
      await store.other.forget(name, lease, longMs)
      expect(await put(store.one, name, 'late', lease)).toBe(false)
    })

    test('is not replaced by the record of a lease that the store has lost', async () => {
      await using store = await open()
      const name = newName()
      const lease = await take(store.one, name)
      await store.wipe()
      await store.pass(1)
      await store.other.forget(name, 1, longMs)
      expect(await put(store.one, name, 'late', lease)).toBe(false)
    })

    test('keeps nobody waiting for the lease whose record it refuses', async () => {
      await using store = await open()
      const name = newName()
      const lost = await take(store.one, name)
      await store.other.forget(name, lost, longMs)
      expect(await take(store.other, name)).toBeGreaterThan(lost)
    })

    test('does not hinder the record of a later lease', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      await store.other.forget(name, fence, longMs)
      expect(await keep(store.one, name, 'new')).toBeGreaterThan(fence)
      expect(await contentOf(store.other, name)).toBe('new')
    })

    test('and forgotten again by another replica leaves the later lease alone', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      await store.one.forget(name, fence, longMs)
      const lease = await take(store.one, name)
      await store.other.forget(name, fence, longMs)
      expect(await leaseKind(store.other, name)).toBe('held')
      expect(await put(store.one, name, 'new', lease)).toBe(true)
    })

    test('is refused for the longest time that anybody asked for', async () => {
      await using store = await open()
      const name = newName()
      const lease = await take(store.one, name)
      await store.one.forget(name, lease, longMs)
      await store.other.forget(name, lease, shortMs)
      await store.pass(shortMs + 1)
      expect(await put(store.one, name, 'late', lease)).toBe(false)
    })
  })

  describe('a listener', () => {
    test('receives what any replica has forgotten', async () => {
      await using store = await open()
      const received = [listen(store.one), listen(store.other)]
      const [first, second] = [newName(), newName()]
      const fences = [
        await keep(store.one, first, 'token'),
        await keep(store.other, second, 'token'),
      ] as const
      await store.one.forget(first, fences[0], longMs)
      await store.other.forget(second, fences[1], longMs)
      const all = [
        { name: first, fence: fences[0] },
        { name: second, fence: fences[1] },
      ]
      for (const { records } of received) await until(() => records.length === 2, 'both were told')
      for (const { records, end } of received) {
        expect(records).toEqual(all)
        end()
      }
    })

    test('receives also the record that a newer one has replaced, and nothing after its end', async () => {
      await using store = await open()
      const [listening, ended] = [listen(store.other), listen(store.other)]
      const [name, marker] = [newName(), newName()]
      const older = await keep(store.one, name, 'older')
      await keep(store.one, name, 'newer', older)
      ended.end()
      await store.one.forget(name, older, longMs)
      await store.one.forget(marker, 1, longMs)
      await until(() => listening.records.length > 1, 'both were told')
      expect(listening.records).toEqual([
        { name, fence: older },
        { name: marker, fence: 1 },
      ])
      expect(ended.records).toEqual([])
      listening.end()
    })

    test('still receives after the store has lost everything', async () => {
      await using store = await open()
      const { records, end } = listen(store.other)
      const [before, after] = [newName(), newName()]
      await store.one.forget(before, 1, longMs)
      await until(() => records.length === 1, 'the first was told')
      await store.wipe()
      await store.one.forget(after, 1, longMs)
      await until(() => records.length === 2, 'the second was told')
      expect(records.map(({ name }) => name)).toEqual([before, after])
      end()
    })

    if (cutsOff) {
      test('receives later what it missed while its connection was lost', async () => {
        await using store = await open()
        const { records, end } = listen(store.other)
        const names = [newName(), newName()]
        await store.one.forget(names[0] ?? '', 1, longMs)
        await until(() => records.length === 1, 'the first was told')
        await store.whileCutOff?.(() => store.one.forget(names[1] ?? '', 1, longMs))
        await until(() => records.length === 2, 'the second was told')
        expect(records.map(({ name }) => name)).toEqual(names)
        end()
      })
    }
  })
}

function listen(store: TokenStore): { readonly records: ForgottenRecord[]; end(): void } {
  const records: ForgottenRecord[] = []
  return { records, end: store.onForgotten(forgotten => records.push(...forgotten)) }
}
