import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { boundedCall } from '../../../src/tokens/shared-store/bounded-call.ts'

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
const endless = 3_600_000
const turn = () => new Promise(resolve => setImmediate(resolve))

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  await turn()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

describe('a call with a limit of time', () => {
  test('ends with its answer, also when it is none of a promise', async () => {
    expect(await boundedCall(() => Promise.resolve(5), endless)).toEqual({ kind: 'answered', answer: 5 })
    expect(await boundedCall(() => 5, endless)).toEqual({ kind: 'answered', answer: 5 })
    expect(await boundedCall(() => undefined, endless)).toEqual({ kind: 'answered', answer: undefined })
  })

  test('ends with its error, whether it rejects, throws, or has a then that throws', async () => {
    const error = new Error('down')
    const thrower = (): never => {
      throw error
    }
    const failed = { kind: 'failed', error }
    expect(await boundedCall(() => Promise.reject(error), endless)).toEqual(failed)
    expect(await boundedCall(thrower, endless)).toEqual(failed)
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
    expect(await boundedCall(() => ({ then: thrower }), endless)).toEqual(failed)
    expect(await boundedCall(() => Object.defineProperty({}, 'then', { get: thrower }), endless)).toEqual(
      failed,
    )
  })

  test('ends at its limit when it never settles', async () => {
    expect(await boundedCall(() => new Promise(() => {}), 5)).toEqual({ kind: 'timeout' })
  })

  test('has no effect any more when it settles after its limit', async () => {
    const rejects = Promise.withResolvers<never>()
    const resolves = Promise.withResolvers<number>()
    const ends = [boundedCall(() => rejects.promise, 5), boundedCall(() => resolves.promise, 5)]
    const before = await Promise.all(ends)
    rejects.reject(new Error('late'))
    resolves.resolve(5)
    await turn()
    expect(await Promise.all(ends)).toEqual(before)
    expect(before).toEqual([{ kind: 'timeout' }, { kind: 'timeout' }])
  })

  test('ends with an answer that arrived in time while this process was too busy to read it', async () => {
    const limitMs = 200
    const call = boundedCall(() => new Promise(resolve => randomBytes(16, () => resolve('answer'))), limitMs)
    // Another thread makes the bytes meanwhile; the timer is due before their callback has run.
    const end = performance.now() + limitMs + 50
    while (performance.now() < end);
    expect(await call).toEqual({ kind: 'answered', answer: 'answer' })
  })
})
