import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refusesToken } from '../../src/outbound/refuses-token.ts'

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
])('a 401 with %s is about the scope: %s', (header, isAboutScope) => {
  expect(refusesToken(401, header)).toBe(!isAboutScope)
  for (const status of [200, 400, 403, 407, 500]) expect(refusesToken(status, header)).toBe(false)
})

test('any header is read without a throw', () => {
  fc.assert(fc.property(fc.string(), text => void refusesToken(401, text)))
})

test.each(['a', ' ', '"', '\\', 'a=', 'a="', 'a ', 'a="\\'])('64 KiB of %j are read in no time', piece => {
  const started = performance.now()
  refusesToken(401, piece.repeat(64 * 1024).slice(0, 64 * 1024))
  expect(performance.now() - started).toBeLessThan(500)
})
