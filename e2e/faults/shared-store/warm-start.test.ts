import { startDevDex } from '@broker/dev-dex'
import { redisNeed, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured, tally } from '../checks.ts'
import { headersOf, Replicas, storeClients } from './replicas.ts'

const clients = storeClients(50)
const requestMetric = 'dex_token_broker_token_request_duration_seconds_count'
/** A busy machine can take longer than the default. */
const patience = { SHARED_STORE_TIMEOUT: '2s' }

describe('brokers that start with a filled store', needs(redisNeed()), () => {
  test('answer the first check of each client while Dex is down', async () => {
    const dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis()
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(2, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
    await replicas.warmUp(clients)
    const tokens = new Set(replicas.answers.map(({ token }) => token))
    expect(tokens.size).toBe(clients.length)
    await until(async () => (await redis.ask('DBSIZE')) === clients.length, 'a record for each client')
    await dex.close()

    // All replicas are replaced, one after the other, as in a rollout.
    for (const old of replicas.brokers) {
      await replicas.add()
      await replicas.kill(old)
    }
    replicas.answers.length = 0
    await replicas.warmUp(clients)
    const { answers } = replicas
    printMeasured('first checks of new brokers without Dex', {
      outcomes: tally(answers),
      longestMs: Math.max(...answers.map(({ tookMs }) => tookMs)),
      tokenRequests: await replicas.metric(requestMetric),
    })
    expect(tally(answers)).toEqual({ 200: 2 * clients.length })
    expect(answers.filter(({ token }) => !tokens.has(token))).toEqual([])
    expect(await replicas.metric(requestMetric)).toBe(0)
  })

  test('that all start at once make one token request for each client', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis()
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(3, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
    const checks = clients.flatMap(client => replicas.brokers.map(() => replicas.ask(headersOf(client))))
    expect(tally(await Promise.all(checks))).toEqual({ 200: checks.length })
    expect(dex.counts.tokenRequests).toBe(clients.length)
    // All are replaced at the same time, with nothing but the store between the old and the new ones.
    await until(async () => (await redis.ask('DBSIZE')) === clients.length, 'a record for each client')
    const olds = [...replicas.brokers]
    await Promise.all(olds.map(() => replicas.add()))
    await Promise.all(olds.map(old => replicas.kill(old)))
    await replicas.warmUp(clients)
    expect(tally(replicas.answers)).toEqual({ 200: replicas.answers.length })
    printMeasured('three brokers replaced at once', { tokenRequests: dex.counts.tokenRequests })
    expect(dex.counts.tokenRequests).toBe(clients.length)
  })
})
