import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tokenRequest } from '../../src/tokens/dex/token-request.ts'

/** Any text, also with halves of surrogate pairs, and with the characters that encoders treat differently as likely as all others. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(...[..." !'()*~+%&=-._\u{1f511}"])))
  .map(parts => parts.map(part => (typeof part === 'number' ? String.fromCharCode(part) : part)).join(''))

describe('the form of a token request', () => {
  test('is spelled as the URL Standard spells forms', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (scope, name, value) => {
        const parameters = [...(scope.trim() === '' ? [] : [['scope', scope]]), [name, value]]
        const expected = new URLSearchParams([['grant_type', 'client_credentials'], ...parameters])
        expect(formOf(scope, [[name, value]])).toBe(expected.toString())
      }),
      { numRuns: 2_000 },
    )
  })
})

function formOf(scope: string, extraParams: [string, string][]): string | undefined {
  const credentials = {
    clientId: 'orders',
    clientSecret: 'orders-secret',
    scope,
    extraParams,
    configured: false,
  }
  const { body } = tokenRequest(credentials, {
    authMethod: 'client_secret_basic',
    userAgent: 'test',
    signal: AbortSignal.abort(),
    trace: {},
    maxBodyBytes: 0,
  })
  return body
}
