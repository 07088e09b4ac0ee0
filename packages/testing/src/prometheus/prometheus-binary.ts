import { binaryNeed } from '../binary-need.ts'
import { findBinary } from '../find-binary.ts'

const needed = {
  variable: 'PROMETHEUS_BIN',
  program: 'prometheus',
  requirement: 'REQUIRE_PROMETHEUS',
} as const

/** Finds a Prometheus server: PROMETHEUS_BIN, else `prometheus` on the PATH; `undefined` when there is none. */
export function findPrometheus(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_PROMETHEUS, a missing server is a failure instead of skipped tests.
 */
export function prometheusNeed(env: NodeJS.ProcessEnv = process.env): { readonly PROMETHEUS_BIN: boolean } {
  return binaryNeed(needed, env)
}
