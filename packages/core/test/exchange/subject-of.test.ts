import { expect, test } from 'vitest'
import { subjectOf } from '../../src/gate/jwt/subject-of.ts'

test('a subject token whose exp is beyond every date ends with the last date', () => {
  const subject = subjectOf('jwt', { iss: 'https://idp.example.com', sub: 'alice', exp: 1e306 }, 0)
  expect(subject.expiresAt).toBe(8.64e15)
})
