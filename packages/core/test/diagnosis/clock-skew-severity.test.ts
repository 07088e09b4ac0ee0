import { expect, test } from 'vitest'
import {
  certainSkewMs,
  clockDifference,
  clockSkewBounds,
  clockSkewSeverity,
} from '../../src/diagnosis/index.ts'

const date = Date.parse('2030-01-01T12:00:00Z')

function differenceOf(fields: Readonly<Record<string, string>>, sentAt: number, receivedAt: number) {
  return clockDifference({ sentAt, receivedAt, header: name => fields[name] })
}

test.each([
  ['sent and received within the second of the Date', 0, 999, 0],
  ['received before the second of the Date began', -5_000, -3_000, -3_000],
  ['sent after the second of the Date was over', 4_000, 9_000, 3_000],
  ['a request during which the clocks may agree, however long it took', -60_000, 60_000, 0],
])('an answer %s', (_, sentAfterMs, receivedAfterMs, skewMs) => {
  const fields = { date: new Date(date).toUTCString() }
  const difference = differenceOf(fields, date + sentAfterMs, date + receivedAfterMs)
  expect(difference).toEqual({ atLeast: sentAfterMs - 1_000, atMost: receivedAfterMs })
  expect(difference && certainSkewMs(difference)).toBe(skewMs)
})

test.each([
  ['without a Date', {}],
  ['with a Date that is none', { date: 'yesterday' }],
  ['of a cache', { date: new Date(date).toUTCString(), age: '0' }],
])('an answer %s tells nothing', (_, fields) => {
  expect(differenceOf(fields, date, date)).toBeUndefined()
})

test('a difference is a warning above the first bound, and critical from the second, in both directions', () => {
  const { warnAboveMs, criticalFromMs } = clockSkewBounds
  for (const sign of [1, -1]) {
    const judged = [0, warnAboveMs, warnAboveMs + 1, criticalFromMs - 1, criticalFromMs].map(ms =>
      clockSkewSeverity(sign * ms),
    )
    expect(judged).toEqual(['none', 'none', 'warning', 'warning', 'critical'])
  }
})
