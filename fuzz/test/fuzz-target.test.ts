import { describe, expect, test } from 'vitest'
import { fuzzTarget } from '../src/fuzz-target.ts'
import { targets } from './faulty-targets.ts'

const module = new URL('faulty-targets.ts', import.meta.url).href

function fuzz(name: string, durationMs: number) {
  const target = targets.find(each => each.name === name)
  if (target === undefined) throw new TypeError(name)
  return fuzzTarget(target, { seed: 1, durationMs, module, hangMs: 4_000 })
}

describe('the runner', { timeout: 120_000 }, () => {
  test('finds a fault behind three branches, and shortens the input', async () => {
    const { failure } = await fuzz('deep-branch', 60_000)
    expect(failure?.problem).toContain('behind three branches')
    expect(Buffer.from(failure?.input ?? []).toString()).toBe('lockopengo')
  })

  test('finds a value that cannot become text, inside valid JSON', async () => {
    expect((await fuzz('odd-json', 60_000)).failure?.problem).toContain(
      'Cannot convert object to primitive value',
    )
  })

  test('finds an input that takes too much time', async () => {
    expect((await fuzz('slow', 60_000)).failure?.problem).toMatch(/^took \d+ ms of CPU time for \d{4} bytes$/)
  })

  test('finds an input that never ends, and one that takes all memory', async () => {
    const endless = await fuzz('endless', 60_000)
    expect(endless.failure?.problem).toBe('took more than 4 s')
    expect(endless.failure?.input).toContain(0)
    const greedy = await fuzz('greedy', 60_000)
    expect(greedy.failure?.problem).toMatch(/memory|took more than 4 s/)
  })

  test('ends without a failure when there is none, and tells how far it came', async () => {
    const { failure, runs } = await fuzz('sound', 300)
    expect(failure).toBeUndefined()
    expect(runs).toBeGreaterThan(100)
  })
})
