import { redisNeed, startRedisSentinel, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { RecordingLogger } from './recording-logger.ts'
import { isAnswered, keepRecord, textOf } from './steps.ts'

describe('a store behind Sentinels', needs(redisNeed()), () => {
  test('is the replica once the master is dead, with the records that it had, and fences still grow', async () => {
    await using sentinel = await startRedisSentinel()
    await using store = redisTokenStore({ url: sentinel.url })
    const fence = await keepRecord(store, 'name')
    await until(
      async () => (await sentinel.replica.ask('EXISTS', 'dex-token-broker:token:name')) === 1,
      'a copy',
    )
    await sentinel.master.kill()
    await until(
      () => isAnswered(store.lease('other', { leaseMs: 1_000, newerThan: 0 })),
      'a lease of the new master',
    )
    expect(await sentinel.masterPort()).toBe(sentinel.replica.port)
    expect(await textOf(store, 'name')).toBe('sealed')
    const answer = await store.lease('name', { leaseMs: 1_000, newerThan: fence })
    expect(answer.kind === 'leased' && answer.fence).toBeGreaterThan(fence)
  })

  test('is the replica once the master hangs', async () => {
    await using sentinel = await startRedisSentinel()
    await using store = redisTokenStore({ url: sentinel.url, commandTimeoutMs: 100, connectTimeoutMs: 300 })
    await keepRecord(store, 'name')
    sentinel.master.pause()
    await until(
      () => isAnswered(store.lease('other', { leaseMs: 1_000, newerThan: 0 })),
      'a lease of the new master',
    )
    expect(await sentinel.masterPort()).toBe(sentinel.replica.port)
  })

  test('is found with the credentials of the Sentinels, which are not those of the store', async () => {
    await using sentinel = await startRedisSentinel({ sentinelPassword: 'watch' })
    const logger = new RecordingLogger()
    await using store = redisTokenStore({ url: sentinel.url, sentinel: { password: 'watch' } })
    await using without = redisTokenStore({ url: sentinel.url, logger })
    await keepRecord(store, 'name')
    expect(await textOf(store, 'name')).toBe('sealed')
    await expect(without.get('name', 0)).rejects.toThrow('NOAUTH')
    expect(logger.lines).toMatchObject([{ fields: { why: expect.stringContaining('NOAUTH') } }])
  })

  test('is not found under the name of another master', async () => {
    await using sentinel = await startRedisSentinel()
    await using store = redisTokenStore({ url: sentinel.url.replace('mymaster', 'another') })
    await expect(store.get('name', 0)).rejects.toThrow()
  })
})
