import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSameValue } from '../../src/shared/is-same-value.ts'

class Part {
  readonly name = 'part'
}

/** Values as options have them. */
const values = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(undefined, null, true, 0, -0, Number.NaN, '', 'a', String, new Part()),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tie('value'), {
      noNullPrototype: true,
    }),
  ),
})).value

/** A copy of arrays and plain objects; everything else is the same. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null || value instanceof Part) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copyOf(each)]))
}

describe('values are the same', () => {
  test('when one is a copy of the other', () => {
    fc.assert(fc.property(values, value => isSameValue(value, copyOf(value))))
  })

  test('in one direction when they are in the other', () => {
    fc.assert(fc.property(values, values, (a, b) => isSameValue(a, b) === isSameValue(b, a)))
  })

  test.each([
    ['another value', { a: [1] }, { a: [2] }],
    ['an additional member', { a: 1 }, { a: 1, b: undefined }],
    ['another member', { a: 1, b: undefined }, { a: 1, c: undefined }],
    ['a longer list', [1], [1, undefined]],
    ['a list in place of an object', [], {}],
    ['another order', ['a', 'b'], ['b', 'a']],
    ['another part of the same class', new Part(), new Part()],
    ['another function', () => 1, () => 1],
    ['a part in place of its members', new Part(), { name: 'part' }],
  ])('not with %s', (_, a, b) => {
    expect([isSameValue(a, b), isSameValue(b, a)]).toEqual([false, false])
  })
})
