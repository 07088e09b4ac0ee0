import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parentOf } from '../../src/tracing/parent-of.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const good = `00-${traceId}-${spanId}-01`
const context = { traceId, spanId, traceFlags: 1 }

describe('traceparent', () => {
  test('names the span of the caller, in any spelling of the header', () => {
    for (const name of ['traceparent', 'Traceparent', 'TRACEPARENT']) {
      expect(parentOf(['host', 'x', name, good])).toEqual(context)
    }
  })

  test.each([
    ['not sampled', `00-${traceId}-${spanId}-00`, 0],
    ['flags of a later version', `00-${traceId}-${spanId}-fe`, 0],
    ['fields of a later version', `01-${traceId}-${spanId}-01-more`, 1],
    ['a later version', `cc-${traceId}-${spanId}-03`, 1],
  ])('%s', (_, value, traceFlags) => {
    expect(parentOf(['traceparent', value])).toEqual({ traceId, spanId, traceFlags })
  })

  test.each([
    ['empty', ''],
    ['in upper case', good.toUpperCase()],
    ['of version ff', good.replace('00-', 'ff-')],
    ['with a field too many', `${good}-more`],
    ['with a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['with a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['cut short', good.slice(0, -1)],
    ['without end', `01-${traceId}-${spanId}-01-${'x'.repeat(10_000)}`],
    ['twice in one line', `${good}, ${good}`],
  ])('%s is ignored', (_, value) => {
    expect(parentOf(['traceparent', value])).toBeUndefined()
  })

  test('on two lines is ignored', () => {
    expect(parentOf(['traceparent', good, 'traceparent', good])).toBeUndefined()
  })

  test('of any text is ignored, or is passed on unchanged', () => {
    const part = fc.string({ unit: fc.constantFrom(...'0123456789abcdefg-'), maxLength: 34 })
    const value = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 6 }).map(parts => parts.join('-')),
    )
    fc.assert(
      fc.property(value, text => {
        const parent = parentOf(['traceparent', text])
        if (parent === undefined) return
        expect(text).toContain(`-${parent.traceId}-${parent.spanId}-`)
      }),
    )
  })
})

describe('tracestate', () => {
  const stateOf = (...values: string[]) =>
    parentOf(['traceparent', good, ...values.flatMap(value => ['tracestate', value])])?.traceState

  test('is kept, from several lines in their order, without empty members', () => {
    expect(stateOf('vendor=1,tenant@vendor=two words')).toBe('vendor=1,tenant@vendor=two words')
    expect(stateOf('a=1, ', 'b=2')).toBe('a=1,b=2')
  })

  test.each([
    ['too long', `a=${'x'.repeat(600)}`],
    ['with too many members', Array.from({ length: 33 }, (_, index) => `a${index}=1`).join(',')],
    ['with a name in upper case', 'A=1'],
    ['without a value', 'a'],
    ['with two equals signs', 'a=b=c'],
    ['with a control character', 'a=\u0001'],
    ['empty', ''],
  ])('%s is ignored, and the parent is not', (_, value) => {
    expect(stateOf(value)).toBeUndefined()
    expect(parentOf(['traceparent', good, 'tracestate', value])).toEqual(context)
  })

  test('without a parent means nothing', () => {
    expect(parentOf(['tracestate', 'a=1'])).toBeUndefined()
  })
})
