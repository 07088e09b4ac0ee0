import { vitestSettings } from '@broker/testing/vitest'
import { defineConfig } from 'vitest/config'

/** Suites that make no difference between the protocols. */
const overBoth = ['test/**/*.test.ts', 'walk/**/*.test.ts', 'helm/running/*.test.ts']
/** Suites of one protocol. */
const overHttp = [
  'http/**/*.test.ts',
  'on-call/**/*.test.ts',
  'helm/*.test.ts',
  'prometheus/*.test.ts',
  'gateway/*.test.ts',
]
const overGrpc = ['grpc/**/*.test.ts']

export default defineConfig({
  test: {
    ...vitestSettings,
    include: [],
    globalSetup: ['harness/provide-envoy.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Each file runs an Envoy, a Dex and brokers: side by side they would take the processor from each other.
    fileParallelism: false,
    projects: [
      {
        extends: true,
        test: { name: 'http', include: [...overBoth, ...overHttp], provide: { protocol: 'http' } },
      },
      {
        extends: true,
        test: { name: 'grpc', include: [...overBoth, ...overGrpc], provide: { protocol: 'grpc' } },
      },
    ],
  },
})
