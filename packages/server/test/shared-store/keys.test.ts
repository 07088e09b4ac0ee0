import { redisNeed, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { startReloadingBroker } from '../reload/start-reloading-broker.ts'
import { bearerOf, billing, orders, startDex } from '../support/start-broker.ts'
import { StoreVolume, sealingKey } from './store-volume.ts'

const sealingKeyOf = (metrics: string) => /shared_store_sealing_key\{key="(\w{16})"\} 1/.exec(metrics)?.[1]

describe('the keys of a shared store', needs(redisNeed()), () => {
  test('rotate in three steps without a lost token', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    const [old, fresh] = [sealingKey(), sealingKey()]
    using volume = new StoreVolume([old])
    const environment = volume.environment(`redis://127.0.0.1:${redis.port}`)
    await using first = await startReloadingBroker(dex, environment)
    const token = bearerOf(await first.check(orders))

    volume.changeKeys(old, fresh)
    await first.look()
    volume.changeKeys(fresh, old)
    // It reads the new order before the other does.
    await using second = await startReloadingBroker(dex, environment)
    expect(bearerOf(await second.check(orders))).toBe(token)
    const sealedByFresh = bearerOf(await second.check(billing))
    await first.look()
    expect(bearerOf(await first.check(billing))).toBe(sealedByFresh)
    expect(dex.counts.tokenRequests).toBe(2)

    volume.changeKeys(fresh)
    for (const broker of [first, second]) await broker.look()
    await using third = await startReloadingBroker(dex, environment)
    expect(bearerOf(await third.check(billing))).toBe(sealedByFresh)
    for (const broker of [first, second]) expect(bearerOf(await broker.check(orders))).toBe(token)
    expect(dex.counts.tokenRequests).toBe(2)
    expect(first.lines('configuration reloaded')).toHaveLength(3)
  })

  test('that differ share nothing, and the metric of each broker names another key', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using one = new StoreVolume([sealingKey()])
    using other = new StoreVolume([sealingKey()])
    const url = `redis://127.0.0.1:${redis.port}`
    await using first = await startReloadingBroker(dex, one.environment(url))
    await using second = await startReloadingBroker(dex, other.environment(url))
    for (const broker of [first, second]) expect((await broker.check(orders)).status).toBe(200)
    expect(dex.counts.tokenRequests).toBe(2)
    const ids = await Promise.all(
      [first, second].map(async broker => sealingKeyOf((await broker.admin('/metrics')).body)),
    )
    expect(ids).toEqual([expect.any(String), expect.any(String)])
    expect(ids[0]).not.toBe(ids[1])
  })

  test('that are faulty leave the last good ones in effect, with a line that says why', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    const key = sealingKey()
    using volume = new StoreVolume([key])
    const environment = volume.environment(`redis://127.0.0.1:${redis.port}`)
    await using broker = await startReloadingBroker(dex, environment)
    const before = sealingKeyOf((await broker.admin('/metrics')).body)
    volume.changeKeys('hunter2', key)
    await broker.look()
    expect(broker.log.find(({ level }) => level === 50)?.['faults']).toEqual([
      expect.stringMatching(/^line 1 of ".*keys" is not base64 of 32 bytes; make a key with "openssl/),
    ])
    expect(await broker.metric('dex_token_broker_config_faults')).toBe(1)
    expect(sealingKeyOf((await broker.admin('/metrics')).body)).toBe(before)
    expect((await broker.check(orders)).status).toBe(200)
    expect(await redis.ask('DBSIZE')).toBe(1)
    expect(JSON.stringify(broker.log)).not.toContain('hunter2')
  })

  test('seal anew after a rotation, and the metric names the new one', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using volume = new StoreVolume([sealingKey()])
    await using broker = await startReloadingBroker(
      dex,
      volume.environment(`redis://127.0.0.1:${redis.port}`),
    )
    const before = sealingKeyOf((await broker.admin('/metrics')).body)
    volume.changeKeys(sealingKey())
    await broker.look()
    const { body } = await broker.admin('/metrics')
    expect(sealingKeyOf(body)).not.toBe(before)
    expect(body).not.toContain(`key="${before}"`)
  })
})
