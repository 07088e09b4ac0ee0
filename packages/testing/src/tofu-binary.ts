import { binaryNeed } from './binary-need.ts'
import { findBinary } from './find-binary.ts'

const needed = { variable: 'TOFU_BIN', program: 'tofu', requirement: 'REQUIRE_TOFU' } as const

/** Finds OpenTofu: TOFU_BIN, else `tofu` on the PATH; `undefined` when there is none. */
export function findTofu(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_TOFU, a missing OpenTofu is a failure instead of skipped tests.
 */
export function tofuNeed(env: NodeJS.ProcessEnv = process.env): { readonly TOFU_BIN: boolean } {
  return binaryNeed(needed, env)
}
