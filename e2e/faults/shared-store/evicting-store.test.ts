import { startDevDex } from '@broker/dev-dex'
import { redisNeed, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured, tally } from '../checks.ts'
import { Replicas, storeClients, wrongTokens } from './replicas.ts'

const clients = storeClients(100)
const patience = { SHARED_STORE_TIMEOUT: '2s' }

describe('a store that evicts records', needs(redisNeed()), () => {
  test('costs token requests and no check', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis({ config: ['maxmemory-policy allkeys-lru'] })
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(3, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
    const infoOf = async (section: string, field: string) =>
      Number(new RegExp(`${field}:(\\d+)`).exec(String(await redis.ask('INFO', section)))?.[1])
    await replicas.warmUp(clients.slice(0, 20))
    // Room for less than half of the records.
    const used = await infoOf('memory', 'used_memory')
    await redis.ask('CONFIG', 'SET', 'maxmemory', String(used + 20_000))
    await replicas.warmUp(clients)
    await replicas.add()
    await replicas.warmUp(clients)
    const { answers } = replicas
    const evicted = await infoOf('stats', 'evicted_keys')
    printMeasured('a store that evicts', { evicted, tokenRequests: dex.counts.tokenRequests })
    expect(tally(answers)).toEqual({ 200: answers.length })
    expect(wrongTokens(answers)).toEqual([])
    expect(evicted).toBeGreaterThan(0)
    expect(dex.counts.tokenRequests).toBeLessThan(4 * clients.length)
  })
})
