import { vitestSettings } from '@broker/testing/vitest'
import { defineConfig } from 'vitest/config'

// A failing Dex needs no Envoy: these tests ask the broker directly, and mostly wait.
export default defineConfig({
  test: {
    ...vitestSettings,
    include: ['faults/**/*.test.ts', 'homelab/**/*.test.ts'],
    outputFile: { json: '.reports/vitest-faults.json' },
    testTimeout: 60_000,
    maxWorkers: 2,
  },
})
