import { findBinary } from './find-binary.ts'

/** Finds promtool of Prometheus: PROMTOOL_BIN, else `promtool` on the PATH; `undefined` when there is none. */
export function findPromtool(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env['PROMTOOL_BIN'], 'promtool', env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_PROMTOOL, a missing promtool is a failure instead of skipped tests.
 */
export function promtoolNeed(env: NodeJS.ProcessEnv = process.env): { readonly PROMTOOL_BIN: boolean } {
  const isThere = findPromtool(env) !== undefined
  if (!isThere && env['REQUIRE_PROMTOOL'])
    throw new Error(
      'REQUIRE_PROMTOOL is set, and there is no promtool. Set PROMTOOL_BIN or install Prometheus.',
    )
  return { PROMTOOL_BIN: isThere }
}
