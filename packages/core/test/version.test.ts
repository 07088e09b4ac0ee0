import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { version } from '../src/shared/version.ts'

test('the version that Dex is told is the version of the package', () => {
  expect(version).toBe(manifest.version)
})
