import { binaryNeed } from './binary-need.ts'
import { findBinary } from './find-binary.ts'

const needed = { variable: 'CHROMIUM_BIN', program: 'chromium', requirement: 'REQUIRE_CHROMIUM' } as const

/** Finds a Chromium: CHROMIUM_BIN, else `chromium` on the PATH; `undefined` when there is none. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_CHROMIUM, a missing browser is a failure instead of skipped tests.
 */
export function chromiumNeed(env: NodeJS.ProcessEnv = process.env): { readonly CHROMIUM_BIN: boolean } {
  return binaryNeed(needed, env)
}
