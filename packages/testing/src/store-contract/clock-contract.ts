import { describe, expect, test } from 'vitest'
import { type ContractOptions, contentOf, keep, longMs, newName, put, take } from './store-under-test.ts'

/** The promises of a store while its clock goes back. */
export function clockContract({ open }: ContractOptions): void {
  describe('a clock that goes back', () => {
    const hourMs = 3_600_000

    test('gives no fence a second time', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      await store.turnBack?.(hourMs)
      expect(await keep(store.other, name, 'newer', fence)).toBe(fence + 1)
      expect(await contentOf(store.one, name)).toBe('newer')
    })

    test('makes no lease longer', async () => {
      await using store = await open()
      const name = newName()
      const lost = await take(store.one, name)
      await store.turnBack?.(hourMs)
      expect(await take(store.other, name)).toBeGreaterThan(lost)
    })

    test('makes no record younger than new', async () => {
      await using store = await open()
      const name = newName()
      await keep(store.one, name, 'token')
      await store.turnBack?.(hourMs)
      expect((await store.other.get(name, 0))?.ageMs).toBe(0)
    })

    test('and a loss of everything leave a caller its progress: its fence grows', async () => {
      await using store = await open()
      const name = newName()
      const fence = await keep(store.one, name, 'token')
      await store.wipe()
      await store.turnBack?.(hourMs)
      const newer = await take(store.one, name, { newerThan: fence })
      expect(newer).toBeGreaterThan(fence)
      expect(await put(store.one, name, 'newer', newer, longMs)).toBe(true)
    })
  })
}
