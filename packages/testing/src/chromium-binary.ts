import { findBinary } from './find-binary.ts'

/** Finds a Chromium: CHROMIUM_BIN, else `chromium` on the PATH; `undefined` when there is none. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env['CHROMIUM_BIN'], 'chromium', env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_CHROMIUM, a missing browser is a failure instead of skipped tests.
 */
export function chromiumNeed(env: NodeJS.ProcessEnv = process.env): { readonly CHROMIUM_BIN: boolean } {
  const isThere = findChromium(env) !== undefined
  if (!isThere && env['REQUIRE_CHROMIUM'])
    throw new Error(
      'REQUIRE_CHROMIUM is set, and there is no chromium. Set CHROMIUM_BIN or install chromium.',
    )
  return { CHROMIUM_BIN: isThere }
}
