import assert from 'node:assert/strict'
import { saysInsufficientScope } from '../../../packages/core/src/outbound/insufficient-scope.ts'
import { retryAfterMs } from '../../../packages/core/src/shared/http/retry-after.ts'
import type { Target } from '../target.ts'

const nowMs = Date.UTC(2030, 0, 1)

/** Headers in answers of upstreams: `Retry-After`, and the challenge in `WWW-Authenticate`. */
export const retryAfterTarget: Target = {
  name: 'retry-after',
  seeds: [
    '120',
    '0',
    'Tue, 01 Jan 2030 00:10:00 GMT',
    'Tuesday, 01-Jan-30 00:10:00 GMT',
    'Tue Jan  1 00:10:00 2030',
    'Bearer realm="x", error="insufficient_scope", scope="a b"',
    'Basic realm="a\\"b", Bearer error=insufficient_scope',
  ],
  dictionary: ['GMT', ', ', '="', '\\"', 'error=', 'insufficient_scope', ' +0000', 'a='],
  maxBytes: 65_536,
  sources: [
    'packages/core/src/shared/http/retry-after.ts',
    'packages/core/src/outbound/insufficient-scope.ts',
  ],
  judge(input) {
    const text = input.toString('latin1')
    const ms = retryAfterMs(text, nowMs)
    if (ms !== undefined) {
      assert.ok(ms > 0 && ms <= 3_600_000, `${ms}`)
      if (/^\d+$/.test(text)) assert.equal(ms, Math.min(Number(text) * 1_000, 3_600_000))
      else assert.match(text, /^[A-Z][a-z]+,? /)
    }
    if (saysInsufficientScope(text)) assert.match(text, /error\s*=\s*"?insufficient_scope/i)
  },
}
