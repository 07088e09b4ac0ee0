import { expect, test } from 'vitest'
import { judgeTokenResponse } from '../../src/tokens/dex/token-response.ts'
import { cpuMsOf } from '../cpu-time.ts'

const judgement = {
  credentials: { clientId: 'orders', clientSecret: 's', scope: '', configured: false },
  wantedFields: [],
  option: 'tokenEndpoint',
}

// A pattern that backtracks takes five seconds for each of them, and every check waits for that.
test.each([
  ['digits that end in a letter', `${'1'.repeat(60_000)}x`],
  ['digits alone', '1'.repeat(60_000)],
  ['blanks around a digit', `${' '.repeat(30_000)}1${' '.repeat(30_000)}x`],
])('expires_in of sixty thousand %s is refused without delay', (_, expiresIn) => {
  const answer = {
    status: 200,
    retryAfterMs: undefined,
    answeredAt: undefined,
    unknownCoding: undefined,
    body: JSON.stringify({ access_token: 'tok', token_type: 'bearer', expires_in: expiresIn }),
  }
  const judge = () => expect(() => judgeTokenResponse(answer, judgement)).toThrow(/expires_in/)
  expect(cpuMsOf(judge)).toBeLessThan(500)
})
