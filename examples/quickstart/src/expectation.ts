import { isDeepStrictEqual } from 'node:util'

/** Something was not as promised. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  readonly expected: string
  readonly actual: string

  constructor(what: string, expected: string, actual: string) {
    super(what)
    this.expected = expected
    this.actual = actual
  }
}

/** Throws a `BrokenPromise` about `what` unless both are the same. */
export function expectSame<Value>(what: string, actual: Value, expected: Value): void {
  if (!isDeepStrictEqual(actual, expected)) throw new BrokenPromise(what, inWords(expected), inWords(actual))
}

/** Throws a `BrokenPromise` about `what` when both are the same. */
export function expectOther<Value>(what: string, actual: Value, other: Value): void {
  if (isDeepStrictEqual(actual, other))
    throw new BrokenPromise(what, `not ${inWords(other)}`, inWords(actual))
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}
