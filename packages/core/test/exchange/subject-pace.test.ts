import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SubjectPace } from '../../src/tokens/exchange/subject-pace.ts'
import { ManualClock } from '../manual-clock.ts'

describe('the pace of a subject', () => {
  test('never lets more than 4 run, nor more than 10 and one in 2 seconds start, whatever comes', () => {
    const event = fc.record({ afterMs: fc.nat(3_000), ends: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), events => {
        const clock = new ManualClock()
        const pace = new SubjectPace(clock)
        const running: { ended(): void }[] = []
        let started = 0
        let passedMs = 0
        for (const { afterMs, ends } of events) {
          clock.advance(afterMs)
          passedMs += afterMs
          if (ends) running.pop()?.ended()
          const start = pace.start('alice')
          if ('retryAfterMs' in start) {
            expect(start.retryAfterMs).toBeGreaterThan(0)
            expect(start.retryAfterMs).toBeLessThanOrEqual(2_000)
          } else {
            started++
            running.push(start)
          }
          expect(running.length).toBeLessThanOrEqual(4)
          expect(started).toBeLessThanOrEqual(10 + passedMs / 2_000)
        }
      }),
    )
  })

  test('lets one start after the time that it names', () => {
    const clock = new ManualClock()
    const pace = new SubjectPace(clock)
    const start = () => {
      const started = pace.start('alice')
      if ('ended' in started) started.ended()
      return started
    }
    for (let index = 0; index < 10; index++) start()
    clock.advance(500)
    const refused = start()
    expect(refused).toEqual({ limit: 'pace', retryAfterMs: 1_500 })
    clock.advance(1_500)
    expect(start()).not.toHaveProperty('limit')
    expect(pace.start('bob')).not.toHaveProperty('limit')
  })

  test('remembers 8,192 subjects at most', () => {
    const pace = new SubjectPace(new ManualClock())
    const start = (subject: string) => {
      const started = pace.start(subject)
      if ('ended' in started) started.ended()
      return 'limit' in started
    }
    for (let index = 0; index < 10; index++) start('alice')
    expect(start('alice')).toBe(true)
    for (let index = 0; index < 8_192; index++) start(`user-${index}`)
    expect(start('alice')).toBe(false)
  })
})
