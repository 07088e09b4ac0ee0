import { findBinary } from '../find-binary.ts'

/** Finds a Prometheus server: PROMETHEUS_BIN, else `prometheus` on the PATH; `undefined` when there is none. */
export function findPrometheus(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env['PROMETHEUS_BIN'], 'prometheus', env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_PROMETHEUS, a missing server is a failure instead of skipped tests.
 */
export function prometheusNeed(env: NodeJS.ProcessEnv = process.env): { readonly PROMETHEUS_BIN: boolean } {
  const isThere = findPrometheus(env) !== undefined
  if (!isThere && env['REQUIRE_PROMETHEUS'])
    throw new Error(
      'REQUIRE_PROMETHEUS is set, and there is no Prometheus. Set PROMETHEUS_BIN or install Prometheus.',
    )
  return { PROMETHEUS_BIN: isThere }
}
