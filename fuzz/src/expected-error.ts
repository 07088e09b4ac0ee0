import assert from 'node:assert/strict'

/** Fails with the stack of an error that is not one of the parser's own. */
export function assertExpected(isExpected: boolean, error: unknown): asserts isExpected {
  if (!isExpected) assert.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
