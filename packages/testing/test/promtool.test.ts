import { expect, test } from 'vitest'
import { findPromtool, promtoolNeed } from '../src/index.ts'

test('promtool is the one that is named, else the one on the PATH', () => {
  expect(findPromtool({ PROMTOOL_BIN: '/opt/promtool', PATH: '' })).toBe('/opt/promtool')
  expect(findPromtool({ PATH: '/does-not-exist' })).toBeUndefined()
})

test('a machine without promtool skips the tests, unless they are required', () => {
  expect(promtoolNeed({ PATH: '' })).toEqual({ PROMTOOL_BIN: false })
  expect(() => promtoolNeed({ PATH: '', REQUIRE_PROMTOOL: '1' })).toThrow('REQUIRE_PROMTOOL is set')
})
