import { vitestSettings } from '@broker/testing/vitest'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    ...vitestSettings,
    include: ['test/**/*.test.ts', 'faults/**/*.test.ts', 'on-call/**/*.test.ts'],
    globalSetup: ['harness/provide-envoy.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Each file runs an Envoy, a Dex and brokers: side by side they would take the processor from each other.
    fileParallelism: false,
  },
})
