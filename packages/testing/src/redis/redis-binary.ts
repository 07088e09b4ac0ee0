import { binaryNeed } from '../binary-need.ts'
import { findBinary } from '../find-binary.ts'

const needed = {
  variable: 'REDIS_SERVER_BIN',
  program: 'redis-server',
  requirement: 'REQUIRE_REDIS',
} as const

/** Finds a Redis or Valkey server: REDIS_SERVER_BIN, else `redis-server` on the PATH; `undefined` when there is none. */
export function findRedis(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_REDIS, a missing server is a failure instead of skipped tests.
 */
export function redisNeed(env: NodeJS.ProcessEnv = process.env): { readonly REDIS_SERVER_BIN: boolean } {
  return binaryNeed(needed, env)
}
