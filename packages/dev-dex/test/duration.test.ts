import { expect, test } from 'vitest'
import { durationMs } from '../src/command/duration.ts'

test.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['87600h', 315_360_000_000],
])('%s is a duration', (text, milliseconds) => {
  expect(durationMs(text)).toBe(milliseconds)
})

test.each(['', '90', '0s', '-1s', '1.5h', '1d', 's', '1h 30m', '87601h', '999999999999h'])(
  '%j is none',
  text => {
    expect(durationMs(text)).toBeUndefined()
  },
)
