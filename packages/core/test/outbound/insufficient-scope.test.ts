import fc from 'fast-check'
import { expect, test } from 'vitest'
import { saysInsufficientScope } from '../../src/outbound/insufficient-scope.ts'
import { cpuMsOf } from '../cpu-time.ts'

test.each([
  [null, false],
  ['', false],
  ['Bearer', false],
  ['Bearer error="invalid_token"', false],
  ['Bearer error="insufficient_scope"', true],
  ['Bearer error=insufficient_scope', true],
  ['bearer realm="x", ERROR = "Insufficient_Scope", scope="a b"', true],
  ['Basic realm="x", Bearer realm="y",error="insufficient_scope"', true],
  ['Bearer error="invalid_token", error_description="not error=insufficient_scope"', false],
  ['Bearer error_description="say \\"error=insufficient_scope\\"", error="invalid_token"', false],
  ['Bearer xerror="insufficient_scope"', false],
  ['Bearer error="insufficient_scope', false],
  ['Bearer error="insufficient_scope_or_so"', false],
])('%s: %s', (header, expected) => {
  expect(saysInsufficientScope(header)).toBe(expected)
})

test('any header is read without a throw', () => {
  fc.assert(fc.property(fc.string(), text => void saysInsufficientScope(text)))
})

test.each(['a', ' ', '"', '\\', 'a=', 'a="', 'a ', 'a="\\'])('64 KiB of %j are read in no time', piece => {
  const header = piece.repeat(64 * 1024).slice(0, 64 * 1024)
  expect(cpuMsOf(() => void saysInsufficientScope(header))).toBeLessThan(500)
})
