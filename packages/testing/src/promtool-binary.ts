import { binaryNeed } from './binary-need.ts'
import { findBinary } from './find-binary.ts'

const needed = { variable: 'PROMTOOL_BIN', program: 'promtool', requirement: 'REQUIRE_PROMTOOL' } as const

/** Finds promtool of Prometheus: PROMTOOL_BIN, else `promtool` on the PATH; `undefined` when there is none. */
export function findPromtool(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_PROMTOOL, a missing promtool is a failure instead of skipped tests.
 */
export function promtoolNeed(env: NodeJS.ProcessEnv = process.env): { readonly PROMTOOL_BIN: boolean } {
  return binaryNeed(needed, env)
}
