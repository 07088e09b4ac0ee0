import type { ViteUserConfig } from 'vitest/config'

/** The settings of every suite; a suite may add to them. */
export const vitestSettings = {
  include: ['test/**/*.test.ts'],
  testTimeout: 20_000,
  pool: 'forks',
  // `npm test` and .ci/run count by the JSON report; turbo keeps it beside the cached result.
  reporters: ['default', 'json'],
  outputFile: { json: '.reports/vitest.json' },
} as const satisfies ViteUserConfig['test']
