import { describe, expect, test } from 'vitest'
import { SealKeys } from '../../../src/tokens/shared-store/seal-keys.ts'
import { endless, guard, storeOf } from './guard.ts'
import { newKey, recordOf } from './made-up-records.ts'

const name = 'name'
const token = recordOf(900)
const request = { leaseMs: 1_000, newerThan: 0 }

describe('a guarded store that lies', () => {
  const fence = 7
  const keys = new SealKeys([newKey()])
  const value = keys.seal(name, fence, token)
  const good = { value, fence, ageMs: 0 }
  const throwing = Object.defineProperty({ ...good }, 'fence', {
    get() {
      throw new Error('no')
    },
  })

  test.each<[string, unknown]>([
    ['a text', 'record'],
    ['a list', [good]],
    ['nothing of a record', {}],
    ['a fence that is no number', { ...good, fence: '7' }],
    ['a fence that is no whole number', { ...good, fence: 7.5 }],
    ['a fence beyond the safe integers', { ...good, fence: 2 ** 53 }],
    ['the fence NaN', { ...good, fence: Number.NaN }],
    ['the fence 0', { ...good, fence: 0 }],
    ['a fence that is not newer', { ...good, fence: 5 }],
    ['no age', { value, fence }],
    ['a negative age', { ...good, ageMs: -1 }],
    ['the age NaN', { ...good, ageMs: Number.NaN }],
    ['an endless age', { ...good, ageMs: Number.POSITIVE_INFINITY }],
    ['a value that is a text', { ...good, value: Buffer.from(value).toString('latin1') }],
    ['a value that is a list', { ...good, value: [...value] }],
    ['a value that is too long', { ...good, value: new Uint8Array(256 * 1024 + 1) }],
    ['an object that throws when it is looked at', throwing],
  ])('is unreadable with a record that is %s', async (_, record) => {
    const store = storeOf(() => undefined, {
      get: async () => record,
      lease: async () => ({ kind: 'record', record }),
    })
    const { guarded, outcomes } = guard(store, endless, keys)
    expect(await guarded.get(name, 5)).toBeUndefined()
    expect(await guarded.lease(name, { ...request, newerThan: 5 })).toBeUndefined()
    expect(outcomes()).toEqual(['get unreadable', 'lease unreadable'])
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['another kind', { kind: 'granted', fence }],
    ['a lease without a fence', { kind: 'leased' }],
    ['a lease whose fence is not newer', { kind: 'leased', fence: 5 }],
    ['a lease with a fence that is no whole number', { kind: 'leased', fence: 7.5 }],
    ['the lease of another without its time', { kind: 'held' }],
    ['the lease of another for NaN', { kind: 'held', forMs: Number.NaN }],
    ['the lease of another for less than no time', { kind: 'held', forMs: -1 }],
    ['the lease of another for ever', { kind: 'held', forMs: Number.POSITIVE_INFINITY }],
  ])('is unreadable with an answer for a lease that is %s', async (_, answer) => {
    const { guarded, outcomes } = guard(storeOf(async () => answer))
    expect(await guarded.lease(name, { ...request, newerThan: 5 })).toBeUndefined()
    expect(outcomes()).toEqual(['lease unreadable'])
  })

  test('has kept nothing when it does not say so', async () => {
    for (const answer of [undefined, 1, 'OK', {}]) {
      const { guarded, outcomes } = guard(storeOf(async () => answer))
      expect(await guarded.put(name, { token, fence, keepMs: 1_000 })).toBe(false)
      expect(outcomes()).toEqual(['put unreadable'])
    }
  })

  test('does not open its circuit: it answers, and costs no time', async () => {
    const { guarded, outcomes, logger } = guard(storeOf(async () => 'garbage'))
    for (let index = 0; index < 10; index++) await guarded.get(name, 0)
    expect(outcomes()).toEqual(Array.from({ length: 10 }, () => 'get unreadable'))
    expect(logger.lines).toHaveLength(1)
  })

  test('tells of nothing that is no forgotten record, and of nothing after its end', () => {
    let tell: (batch: unknown) => void = () => {}
    const onForgotten = (listener: (batch: unknown) => void) => {
      tell = listener
      return () => {}
    }
    const { guarded } = guard(storeOf(() => undefined, { onForgotten }))
    const heard: unknown[] = []
    const end = guarded.onForgotten(batch => heard.push(batch))
    const record = { name, fence }
    for (const batch of [undefined, 'x', {}, [], [{ name }], [{ name, fence: 1.5 }], [{ fence }], [null]])
      tell(batch)
    tell([{ name, fence: 0 }, record, 5])
    end()
    tell([record])
    expect(heard).toEqual([[record]])
  })

  test('can answer at once, without a promise', async () => {
    const { guarded, outcomes } = guard(
      storeOf(() => good),
      endless,
      keys,
    )
    expect((await guarded.get(name, 0))?.token).toEqual(token)
    expect(outcomes()).toEqual(['get record'])
  })
})
