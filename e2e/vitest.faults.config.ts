import { vitestSettings } from '@broker/testing/vitest'
import { defineConfig } from 'vitest/config'

// Faults of Dex need no Envoy: these tests ask the broker themselves, and mostly wait.
export default defineConfig({
  test: {
    ...vitestSettings,
    include: ['faults/**/*.test.ts'],
    outputFile: { json: '.reports/vitest-faults.json' },
    testTimeout: 60_000,
    maxWorkers: 2,
  },
})
