import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'faults/**/*.test.ts'],
    globalSetup: ['harness/provide-envoy.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Each file runs an Envoy, a Dex and brokers: side by side they would take the processor from each other.
    fileParallelism: false,
    // The JSON report is where .ci/run takes its counts from; turbo keeps it beside the cached result.
    reporters: ['default', 'json'],
    outputFile: { json: '.reports/vitest.json' },
  },
})
