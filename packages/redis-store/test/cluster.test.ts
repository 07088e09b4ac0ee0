import { redisNeed, startRedisCluster, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { isAnswered, keepRecord, textOf } from './steps.ts'

describe('a store that is a cluster', needs(redisNeed()), () => {
  test('spreads the records, serves those of the living masters, and all when the dead one is back', async () => {
    await using cluster = await startRedisCluster()
    await using store = redisTokenStore({ url: cluster.url })
    const names = Array.from({ length: 30 }, (_, index) => `name-${index}`)
    await Promise.all(names.map(name => keepRecord(store, name)))
    const masters = await Promise.all(names.map(name => cluster.masterOf(`dex-token-broker:token:${name}`)))
    const [victim] = masters as [(typeof masters)[number]]
    expect(new Set(masters).size).toBe(3)

    await victim.kill()
    const isLost = (index: number) => masters[index] === victim
    await until(async () => {
      const answered = await Promise.all(names.map(name => isAnswered(store.get(name, 0))))
      return answered.every((isAnswer, index) => isAnswer !== isLost(index))
    }, 'the others serve, and the dead one fails')

    await victim.restart()
    await until(async () =>
      (await Promise.all(names.map(name => isAnswered(store.get(name, 0))))).every(Boolean),
    )
    const texts = await Promise.all(names.map(name => textOf(store, name)))
    expect(texts.map(text => text === undefined)).toEqual(names.map((_, index) => isLost(index)))
  })

  test('answers the first calls, however many there are at once', async () => {
    await using cluster = await startRedisCluster()
    await using store = redisTokenStore({ url: cluster.url })
    const names = Array.from({ length: 100 }, (_, index) => `name-${index}`)
    const answers = await Promise.all(names.map(name => store.lease(name, { leaseMs: 1_000, newerThan: 0 })))
    expect(answers.every(({ kind }) => kind === 'leased')).toBe(true)
  })

  test('is connected to every master before the first call', async () => {
    await using cluster = await startRedisCluster()
    await using store = redisTokenStore({ url: cluster.url })
    await store.firstAttempt
    for (const master of cluster.masters)
      expect(await master.ask('CLIENT', 'LIST')).toContain('name=dex-token-broker')
  })

  test('with one node that is named and dead is reached through the others', async () => {
    await using cluster = await startRedisCluster()
    const [first, second] = cluster.masters
    const url = `redis-cluster://127.0.0.1:1,127.0.0.1:${second?.port}`
    await using store = redisTokenStore({ url })
    expect(first).toBeDefined()
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
  })

  test('of which no node is there makes calls reject', async () => {
    await using store = redisTokenStore({ url: 'redis-cluster://127.0.0.1:1,127.0.0.1:2' })
    await expect(store.get('name', 0)).rejects.toThrow()
    await expect(store.get('name', 0)).rejects.toThrow()
  })
})
