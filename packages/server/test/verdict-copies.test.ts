import type { AllowVerdict } from '@broker/core'
import { describe, expect, test } from 'vitest'
import { createCheckApp } from '../src/http/check-app.ts'

const verdict: AllowVerdict = { outcome: 'allow', set: { authorization: 'Bearer a' }, remove: ['x-scope'] }

/** The header of the answer to each verdict, one after the other. */
async function headersFor(...verdicts: readonly (() => AllowVerdict)[]): Promise<(string | null)[]> {
  const answered: (string | null)[] = []
  for (const decide of verdicts) {
    const answer = await createCheckApp({ decide }).request('/check')
    answered.push(answer.headers.get('authorization'))
  }
  return answered
}

const descriptorsOf = Object.getOwnPropertyDescriptors

describe('a verdict that a program changes before it is answered', () => {
  const set = { authorization: 'Bearer b' }
  test.each([
    ['copy', () => ({ ...verdict, set })],
    [
      'copy of everything',
      () => Object.defineProperties({}, { ...descriptorsOf(verdict), set: { value: set } }),
    ],
    ['descendant', () => Object.create(verdict, { set: { value: set } })],
    [
      'proxy',
      () => new Proxy(verdict, { get: (of, name) => (name === 'set' ? set : Reflect.get(of, name)) }),
    ],
  ] satisfies [string, () => AllowVerdict][])(
    'is answered with its own headers as the %s of an answered one',
    async (_, changed) => {
      const original = () => verdict
      expect(await headersFor(original, changed, original)).toEqual(['Bearer a', 'Bearer b', 'Bearer a'])
    },
  )

  test('may be frozen', async () => {
    const frozen = Object.freeze({ ...verdict })
    expect(
      await headersFor(
        () => frozen,
        () => frozen,
      ),
    ).toEqual(['Bearer a', 'Bearer a'])
  })
})
