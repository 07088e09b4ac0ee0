import { redisNeed, startCuttableProxy, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { leastRights } from './least-rights.ts'
import { RecordingLogger } from './recording-logger.ts'
import { keepRecord } from './steps.ts'

describe('the facts of a store', needs(redisNeed()), () => {
  test('include its memory, and records under its prefix only', async () => {
    await using redis = await startRedis({ config: ['maxmemory 64mb', 'maxmemory-policy volatile-ttl'] })
    const url = `redis://127.0.0.1:${redis.port}`
    await using store = redisTokenStore({ url })
    await using other = redisTokenStore({ url, prefix: 'other' })
    await keepRecord(store, 'name')
    await keepRecord(other, 'name')
    const { memory, records } = await store.inspect()
    expect(memory).toMatchObject({ policy: 'volatile-ttl', maxBytes: 67_108_864 })
    expect(memory?.usedBytes).toBeGreaterThan(0)
    expect(records?.map(String)).toEqual(['sealed'])
  })

  test('are missing where the user has the least rights, without a line in the log', async () => {
    const aclUser = { name: 'broker', password: 'secret', rules: leastRights }
    await using redis = await startRedis({ aclUser })
    const logger = new RecordingLogger()
    await using store = redisTokenStore({
      url: `redis://127.0.0.1:${redis.port}`,
      username: 'broker',
      password: 'secret',
      logger,
    })
    expect(await store.inspect()).toEqual({ memory: undefined, records: undefined })
    expect(logger.lines.map(({ message }) => message)).toEqual(['connected to the shared store'])
  })

  test('reject when the store does not answer', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 100 })
    await store.firstAttempt
    proxy.cut('blackhole')
    await expect(store.inspect()).rejects.toMatchObject({ name: 'StoreFailure' })
  })
})
