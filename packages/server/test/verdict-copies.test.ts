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

describe('a verdict that a program changes before it is answered', () => {
  test('is answered with its own headers, also as the copy of one that was answered before', async () => {
    const original = () => verdict
    const copy = () => ({ ...verdict, set: { authorization: 'Bearer b' } })
    expect(await headersFor(original, copy, original)).toEqual(['Bearer a', 'Bearer b', 'Bearer a'])
  })

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
