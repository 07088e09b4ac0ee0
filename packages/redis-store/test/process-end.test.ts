import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  freePort,
  redisNeed,
  startCuttableProxy,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'

const script = fileURLToPath(new URL('closing-store.ts', import.meta.url))

/** Runs the script until its process ends by itself. */
async function run(url: string, ...mode: readonly 'hangs'[]): Promise<{ outcomes: unknown; errors: string }> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, url, ...mode], {
    timeout: 10_000,
  })
  return { outcomes: JSON.parse(stdout), errors: stderr }
}

describe('a process that closes its store ends by itself', needs(redisNeed()), () => {
  test('when the store serves', async () => {
    await using redis = await startRedis()
    expect(await run(`redis://127.0.0.1:${redis.port}`)).toEqual({
      outcomes: ['answered', 'rejected'],
      errors: '',
    })
  })

  test('when the store is not there', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    expect(await run(url)).toEqual({ outcomes: ['rejected', 'rejected'], errors: '' })
  })

  test('when the store hangs', async () => {
    await using redis = await startRedis()
    redis.pause()
    const url = `redis://127.0.0.1:${redis.port}`
    expect(await run(url, 'hangs')).toEqual({ outcomes: ['rejected', 'rejected'], errors: '' })
  })

  test('when the network swallows everything', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    proxy.cut('blackhole')
    const url = `redis://127.0.0.1:${proxy.port}`
    expect(await run(url, 'hangs')).toEqual({ outcomes: ['rejected', 'rejected'], errors: '' })
  })

  test('when the store is a cluster, and when it is behind Sentinels', async () => {
    await using cluster = await startRedisCluster()
    await using sentinel = await startRedisSentinel()
    for (const { url } of [cluster, sentinel])
      expect(await run(url)).toEqual({ outcomes: ['answered', 'rejected'], errors: '' })
  })
})
