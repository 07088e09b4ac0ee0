import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    // The JSON report is where .ci/run takes its counts from; turbo keeps it beside the cached result.
    reporters: ['default', 'json'],
    outputFile: { json: '.reports/vitest.json' },
  },
})
