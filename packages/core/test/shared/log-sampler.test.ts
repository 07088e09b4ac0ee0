import { queryObjects } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LogSampler } from '../../src/shared/log-sampler.ts'
import { ManualClock } from '../manual-clock.ts'

/** A sampler whose timers run when the test says so, and the counts that it wrote. */
function startSampler() {
  const clock = new ManualClock()
  const timers = new Set<() => void>()
  const written: number[] = []
  const sampler = new LogSampler(clock, run => {
    timers.add(run)
    return { cancel: () => timers.delete(run) }
  })
  return {
    clock,
    timers,
    written,
    sampler,
    note: () => sampler.note('missing_credentials', count => written.push(count)),
    runTimers() {
      for (const run of [...timers]) {
        timers.delete(run)
        run()
      }
    },
  }
}

describe('lines of one kind', () => {
  test('the first is written at once, the others in one line ten seconds later', () => {
    const { note, clock, written, timers, runTimers } = startSampler()
    for (let event = 0; event < 40; event++) note()
    expect(written).toEqual([1])
    expect(timers.size).toBe(1)
    clock.advance(10_000)
    runTimers()
    expect(written).toEqual([1, 39])
  })

  test('one that comes after the ten seconds says how many there were, itself included', () => {
    const { note, clock, written, timers } = startSampler()
    for (let event = 0; event < 3; event++) note()
    clock.advance(9_999)
    note()
    expect(written).toEqual([1])
    clock.advance(1)
    note()
    expect(written).toEqual([1, 4])
    expect(timers.size).toBe(0)
  })

  test('a single one leaves no timer behind', () => {
    const { note, timers } = startSampler()
    note()
    expect(timers.size).toBe(0)
  })

  test('are written by the last event that they stand for', () => {
    const { sampler, clock } = startSampler()
    const written: string[] = []
    for (const name of ['a', 'b', 'c'])
      sampler.note('rejected_credentials', count => written.push(`${name}${count}`))
    clock.advance(10_000)
    sampler.close()
    expect(written).toEqual(['a1', 'c2'])
  })

  test('what is held back is written at the end, once', () => {
    const { note, sampler, written, timers } = startSampler()
    note()
    note()
    sampler.close()
    sampler.close()
    expect(written).toEqual([1, 1])
    expect(timers.size).toBe(0)
  })
})

test('lines of another kind do not wait', () => {
  const { note, sampler, written } = startSampler()
  note()
  sampler.note('jwt_refusal expired', count => written.push(count))
  expect(written).toEqual([1, 1])
})

test('at most one line in ten seconds, and every event is counted, whatever happens when', () => {
  const steps = fc.array(
    fc.oneof(fc.constant('event' as const), fc.constant('timers' as const), fc.nat(12_000)),
  )
  fc.assert(
    fc.property(steps, taken => {
      const { note, clock, written, sampler, runTimers } = startSampler()
      const lines: number[] = []
      let events = 0
      let dueAt = Number.NEGATIVE_INFINITY
      for (const step of taken) {
        const before = written.length
        if (step === 'event') {
          events++
          note()
        } else if (step === 'timers') {
          // A timer of Node never fires early.
          if (clock.monotonic() >= dueAt) runTimers()
        } else clock.advance(step)
        if (written.length === before) continue
        lines.push(clock.monotonic())
        dueAt = clock.monotonic() + 10_000
      }
      for (const [index, at] of lines.entries()) {
        if (index > 0) expect(at - (lines[index - 1] as number)).toBeGreaterThanOrEqual(10_000)
      }
      sampler.close()
      expect(written.reduce((sum, count) => sum + count, 0)).toBe(events)
    }),
  )
})

test('what an event is about is not kept once its line is written', () => {
  class Secret {}
  const { sampler, clock, timers, runTimers } = startSampler()
  const note = () => {
    const secret = new Secret()
    sampler.note('missing_credentials', () => String(secret))
  }
  note()
  expect(queryObjects(Secret, { format: 'count' })).toBe(0)
  note()
  expect(queryObjects(Secret, { format: 'count' })).toBe(1)
  clock.advance(10_000)
  runTimers()
  expect(timers.size).toBe(0)
  expect(queryObjects(Secret, { format: 'count' })).toBe(0)
})
