import { redisNeed, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { keepRecord } from './steps.ts'

describe('a store that many replicas share', needs(redisNeed()), () => {
  test('gives one lease for each name, however many ask at once', async () => {
    await using redis = await startRedis()
    await using stack = new AsyncDisposableStack()
    const url = `redis://127.0.0.1:${redis.port}`
    const stores = Array.from({ length: 8 }, () => stack.use(redisTokenStore({ url })))
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`)
    const answers = await Promise.all(
      names.flatMap(name => stores.map(store => store.lease(name, { leaseMs: 10_000, newerThan: 0 }))),
    )
    expect(answers).toHaveLength(160)
    expect(answers.filter(({ kind }) => kind === 'leased')).toHaveLength(20)
    expect(answers.filter(({ kind }) => kind === 'held')).toHaveLength(140)
  })

  test('needs one command for each step once it knows the scripts', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${redis.port}` })
    await keepRecord(store, 'first')
    await store.get('first', 0)
    await redis.ask('CONFIG', 'RESETSTAT')
    await keepRecord(store, 'second')
    await store.get('second', 0)
    const statistics = String(await redis.ask('INFO', 'commandstats'))
    expect(statistics).toContain('cmdstat_evalsha:calls=3,')
    expect(statistics).not.toContain('cmdstat_eval:')
  })

  test('leaves no key without an end, and none in another prefix', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${redis.port}`, prefix: 'edge:eu-1' })
    await store.lease('leased', { leaseMs: 10_000, newerThan: 0 })
    await keepRecord(store, 'kept')
    await store.forget('forgotten', await keepRecord(store, 'forgotten'), 60_000)
    const released = await store.lease('released', { leaseMs: 10_000, newerThan: 0 })
    if (released.kind === 'leased') await store.release('released', released.fence)
    const keys = (await redis.ask('KEYS', '*')) as string[]
    expect(keys.sort()).toEqual([
      'edge:eu-1:forgotten',
      'edge:eu-1:token:forgotten',
      'edge:eu-1:token:kept',
      'edge:eu-1:token:leased',
      'edge:eu-1:token:released',
    ])
    for (const key of keys) expect(Number(await redis.ask('PTTL', key))).toBeGreaterThan(0)
  })

  test('keeps a refusal for as long as it was asked for, also when a short record follows', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${redis.port}` })
    await store.forget('name', await keepRecord(store, 'name'), 60_000)
    await keepRecord(store, 'name', { keepMs: 1 })
    expect(Number(await redis.ask('PTTL', 'dex-token-broker:token:name'))).toBeGreaterThan(30_000)
  })

  test('does not poll without a listener', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${redis.port}` })
    const end = store.onForgotten(() => {})
    await keepRecord(store, 'name')
    end()
    await store.get('name', 0)
    await redis.ask('CONFIG', 'RESETSTAT')
    // real time: longer than a poll takes
    await new Promise(resolve => setTimeout(resolve, 1_300))
    expect(String(await redis.ask('INFO', 'commandstats'))).not.toContain('cmdstat_eval')
  })
})
