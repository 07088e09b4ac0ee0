import assert from 'node:assert/strict'
import { BrokerError } from '../../../packages/core/src/shared/errors.ts'
import { judgeTokenResponse } from '../../../packages/core/src/tokens/dex/token-response.ts'
import { assertExpected } from '../expected-error.ts'
import { assertHidesSecret, secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

const statuses = [200, 400, 401, 403, 404, 429, 500, 503, 302]
const credentials = { clientId: 'reports', clientSecret: secret, scope: '', configured: true }
const judgement = { credentials, wantedFields: ['id_token', 'scope', '__proto__'], option: 'tokenEndpoint' }
const token = {
  access_token: 'eyJ.x.y',
  token_type: 'bearer',
  expires_in: 3_600,
  id_token: 'a.b.c',
  scope: 'a b',
}
const codes = [
  'invalid_client',
  'invalid_scope',
  'server_error',
  'unsupported_grant_type',
  'need_info',
  'bad_gateway',
]

/**
 * Answers of the token endpoint: the first byte chooses the status. The reference is `JSON.parse`: a token is the one of the answer, and
 * no error shows the secret, in whatever spelling the answer repeats it.
 */
export const tokenResponseTarget: Target = {
  name: 'token-response',
  seeds: [
    ...[token, { ...token, expires_in: '3600', token_type: '' }, { access_token: 'x' }].map(
      body => `0${JSON.stringify(body)}`,
    ),
    ...codes.flatMap((error, index) => [
      `${1 + (index % 8)}${JSON.stringify({ error, error_description: `no ${secret} here` })}`,
      `${1 + (index % 8)}${JSON.stringify({ error, error_description: encodeURIComponent(secret) })}`,
    ]),
    '4<html>not found</html>',
    '1Client sent an HTTP request to an HTTPS server.',
  ],
  dictionary: [
    '"access_token":',
    '"expires_in":',
    '"error":',
    '"error_description":',
    ...codes,
    'Bearer',
    '1e999',
    '-0',
    '\\u0000',
    '&#x2d;',
  ],
  maxBytes: 70_000,
  sources: [
    'packages/core/src/tokens/dex/token-response.ts',
    'packages/core/src/tokens/dex/oauth-error.ts',
    'packages/core/src/tokens/dex/token-bounds.ts',
  ],
  judge(input) {
    const status = statuses[((input[0] ?? 48) + 6) % statuses.length] ?? 200
    const body = input.subarray(1).toString()
    const answer = { status, retryAfterMs: undefined, answeredAt: undefined, unknownCoding: undefined, body }
    try {
      const { accessToken, expiresIn, fields } = judgeTokenResponse(answer, judgement)
      assert.equal(status, 200)
      const reference = JSON.parse(body)
      assert.equal(accessToken, reference.access_token)
      assert.match(accessToken, /^[\x21-\x7e]{1,61440}$/)
      assert.ok(expiresIn === undefined || !Number.isNaN(expiresIn))
      for (const [name, value] of Object.entries(fields)) {
        assert.equal(value, String(reference[name]))
        new Headers().set('x-field', value)
      }
    } catch (error) {
      assertExpected(BrokerError.is(error), error)
      const { message, oauthErrorDescription = '', oauthError = '', hint } = error
      for (const text of [message, oauthErrorDescription, oauthError, JSON.stringify(hint)])
        assertHidesSecret(text ?? '')
      assert.doesNotMatch(oauthErrorDescription, /[\p{Cc}\p{Zl}\p{Zp}]/u)
      assert.ok(oauthErrorDescription.length <= 200)
    }
  },
}
