import { readFileSync } from 'node:fs'
import { TokenBroker } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { redisTokenStore } from '@broker/redis-store'
import { redisNeed, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured } from '../checks.ts'
import { headersOf, kidOf, Replicas, scope } from './replicas.ts'
import { clients, StoreLoad } from './store-load.ts'

const keyIsGone = 'tokens dropped: the key that signed them is gone'
const patience = { HTTP_TIMEOUT: '20s', SHARED_STORE_TIMEOUT: '2s' }

describe('a token that is dropped under load', needs(redisNeed()), () => {
  test('because its key is gone is dropped by all brokers, of which one watches the keys', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis()
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(2, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
    const watching = await replicas.add({ DEX_JWKS_URL: dex.jwksUri, JWKS_MAX_AGE: '1s' })
    await using load = await StoreLoad.start(replicas)
    await load.answered(200)
    await until(() => dex.counts.keysRequests > 0, 'the key set')
    await dex.rotateKeys()
    dex.retireKey()
    const requestsBefore = dex.counts.tokenRequests
    await until(() => watching.process.log.includes(keyIsGone), 'the drop', 30_000)
    const droppedAt = performance.now()
    const isOld = (token = '') => kidOf(token) !== dex.currentKid
    const lastOld = await load.inARow(300, ({ token }) => !isOld(token))
    await load.answered(300)
    await load.stop()
    const { answers } = replicas
    printMeasured('the key of all tokens is gone', {
      lastOldTokenAfterMs: Math.max(0, (lastOld?.askedAt ?? droppedAt) - droppedAt),
      tokenRequests: dex.counts.tokenRequests - requestsBefore,
    })
    expect(answers.slice(-300).filter(({ token }) => isOld(token))).toEqual([])
    // One for each client whose token was in use.
    expect(dex.counts.tokenRequests - requestsBefore).toBeLessThanOrEqual(clients.length)
  })

  test('by invalidate in another process is no longer given out by any broker', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis()
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(3, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
    await using store = redisTokenStore({ url })
    await using library = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      sharedStore: { store, keys: [readFileSync(replicas.keyFile, 'utf8')], timeoutMs: 2_000 },
    })
    await using load = await StoreLoad.start(replicas)
    const [{ id, secret = '' }] = clients as [(typeof clients)[0]]
    const dropped = await library.getToken({ clientId: id, clientSecret: secret, scope })
    expect((await replicas.ask(headersOf({ id, secret }))).token).toBe(dropped.accessToken)
    const requestsBefore = dex.counts.tokenRequests
    expect(library.invalidate(dropped)).toBe(true)
    const droppedAt = performance.now()
    const isOld = (token = '') => token === dropped.accessToken
    const lastOld = await load.inARow(600, ({ token }) => !isOld(token))
    for (let checks = 0; checks < 10; checks++) await replicas.ask(headersOf({ id, secret }))
    await load.stop()
    const ofClient = replicas.answers.filter(({ headers }) => headers['x-client-id'] === id)
    printMeasured('one token is invalidated', {
      lastOldTokenAfterMs: Math.max(0, (lastOld?.askedAt ?? droppedAt) - droppedAt),
      tokenRequests: dex.counts.tokenRequests - requestsBefore,
    })
    expect(new Set(ofClient.slice(-10).map(({ token }) => token)).size).toBe(1)
    expect(ofClient.slice(-10).filter(({ token }) => isOld(token))).toEqual([])
    expect(dex.counts.tokenRequests - requestsBefore).toBe(1)
  })
})
