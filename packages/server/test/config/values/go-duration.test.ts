import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatGoDuration, parseGoDuration } from '../../../src/config/values/go-duration.ts'

// What Go's time.ParseDuration answers, in nanoseconds.
const GO_ACCEPTS: ReadonlyArray<readonly [string, bigint]> = [
  ['0', 0n],
  ['+0', 0n],
  ['-0', 0n],
  ['0s', 0n],
  ['5s', 5_000_000_000n],
  ['+5s', 5_000_000_000n],
  ['-5s', -5_000_000_000n],
  ['1m30s', 90_000_000_000n],
  ['500ms', 500_000_000n],
  ['1.5h', 5_400_000_000_000n],
  ['-1.5h', -5_400_000_000_000n],
  ['.5s', 500_000_000n],
  ['1.s', 1_000_000_000n],
  ['1s1s', 2_000_000_000n],
  ['12us', 12_000n],
  ['12µs', 12_000n],
  ['12μs', 12_000n],
  ['7ns', 7n],
  ['1h15m30.918273645s', 4_530_918_273_645n],
  ['0.9ns', 0n],
  ['0.3333333333333333333h', 1_200_000_000_000n],
  ['0.100000000000000000000h', 360_000_000_000n],
  ['0.830103483285477580700h', 2_988_372_539_827n],
  ['2562047h47m16.854775807s', 2n ** 63n - 1n],
]
const GO_REFUSES = [
  '',
  '3',
  '-',
  '+',
  's',
  '.',
  '-.',
  '.s',
  '+.s',
  '00',
  '1d',
  '1 s',
  '5S',
  '1h1',
  '1e3s',
  '5 seconds',
  '+-5s',
  '1.5.5s',
  ' 5s',
  '٣s',
]

describe('parseGoDuration', () => {
  it.each(GO_ACCEPTS)('reads %j as Go does', (text, nanoseconds) => {
    expect(parseGoDuration(text)).toBe(nanoseconds)
  })

  it.each(GO_REFUSES)('refuses %j as Go does', text => {
    expect(parseGoDuration(text)).toBeUndefined()
  })

  it('adds up whole numbers of any units in any order', () => {
    const scales = {
      ns: 1n,
      us: 1_000n,
      ms: 1_000_000n,
      s: 10n ** 9n,
      m: 60n * 10n ** 9n,
      h: 3600n * 10n ** 9n,
    }
    const part = fc.tuple(fc.nat(), fc.constantFrom(...(Object.keys(scales) as (keyof typeof scales)[])))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.boolean(), (parts, negative) => {
        const sum = parts.reduce((total, [amount, unit]) => total + BigInt(amount) * scales[unit], 0n)
        const text = parts.map(([amount, unit]) => `${amount}${unit}`).join('')
        expect(parseGoDuration(negative ? `-${text}` : text)).toBe(negative ? -sum : sum)
      }),
    )
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[-+.0-9smhun]*$/)), text => {
        expect(['bigint', 'undefined']).toContain(typeof parseGoDuration(text))
      }),
    )
  })
})

describe('formatGoDuration', () => {
  it.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_100n, '1.1µs'],
    [2_200_000n, '2.2ms'],
    [3_300_000_000n, '3.3s'],
    [300_000_000_000n, '5m'],
    [245_000_000_000n, '4m5s'],
    [3_600_000_000_000n, '1h'],
    [3_605_000_000_000n, '1h0m5s'],
    [5_400_000_000_000n, '1h30m'],
    [4_530_918_273_645n, '1h15m30.918273645s'],
    [-90_000_000_000n, '-1m30s'],
  ])('writes %d ns as %j', (nanoseconds, text) => {
    expect(formatGoDuration(nanoseconds)).toBe(text)
  })

  it('is read back as the same duration', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), nanoseconds => {
        expect(parseGoDuration(formatGoDuration(nanoseconds))).toBe(nanoseconds)
      }),
    )
  })
})
