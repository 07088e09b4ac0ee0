import { expect, test } from 'vitest'
import { findTofu, tofuNeed } from '../src/index.ts'

test('OpenTofu is the one that is named, else the one on the PATH', () => {
  expect(findTofu({ TOFU_BIN: '/opt/tofu', PATH: '' })).toBe('/opt/tofu')
  expect(findTofu({ PATH: '/does-not-exist' })).toBeUndefined()
})

test('a machine without OpenTofu skips the tests, unless they are required', () => {
  expect(tofuNeed({ PATH: '' })).toEqual({ TOFU_BIN: false })
  expect(() => tofuNeed({ PATH: '', REQUIRE_TOFU: '1' })).toThrow('REQUIRE_TOFU is set')
})
