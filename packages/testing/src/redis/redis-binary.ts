import { findBinary } from '../find-binary.ts'

/** Finds a Redis or Valkey server: REDIS_SERVER_BIN, else `redis-server` on the PATH; `undefined` when there is none. */
export function findRedis(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env['REDIS_SERVER_BIN'], 'redis-server', env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_REDIS, a missing server is a failure instead of skipped tests.
 */
export function redisNeed(env: NodeJS.ProcessEnv = process.env): { readonly REDIS_SERVER_BIN: boolean } {
  const isThere = findRedis(env) !== undefined
  if (!isThere && env['REQUIRE_REDIS'])
    throw new Error(
      'REQUIRE_REDIS is set, and there is no redis-server. Set REDIS_SERVER_BIN or install redis-server.',
    )
  return { REDIS_SERVER_BIN: isThere }
}
