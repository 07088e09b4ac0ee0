import { setTimeout as delay } from 'node:timers/promises'
import {
  type RedisCluster,
  redisNeed,
  startCuttableProxy,
  startRedis,
  startRedisCluster,
} from '@broker/testing'
import { needs, type StoreUnderTest, sharedTokenStoreContract } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { leastRights } from './least-rights.ts'

const broker = { username: 'broker', password: 'correct horse' }

async function openStandalone(): Promise<StoreUnderTest> {
  await using stack = new AsyncDisposableStack()
  const aclUser = { name: broker.username, password: broker.password, rules: leastRights }
  const redis = stack.use(await startRedis({ aclUser }))
  const proxy = stack.use(await startCuttableProxy(redis.port))
  const one = stack.use(redisTokenStore({ url: `redis://127.0.0.1:${redis.port}`, ...broker }))
  const other = stack.use(redisTokenStore({ url: `redis://127.0.0.1:${proxy.port}`, ...broker }))
  const parts = stack.move()
  return {
    one,
    other,
    // real time: the server has no other clock
    pass: ms => delay(ms),
    async wipe() {
      await redis.ask('FLUSHALL')
    },
    async whileCutOff(run) {
      proxy.cut('drop')
      await run()
      proxy.mend()
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

describe('the contract', needs(redisNeed()), () => {
  sharedTokenStoreContract('a server, as a user with the least rights', {
    open: openStandalone,
    shortMs: 20,
    cutsOff: true,
  })

  // One for all tests: it takes seconds to form.
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  async function wipe(): Promise<void> {
    await Promise.all(cluster.masters.map(master => master.ask('FLUSHALL')))
  }

  sharedTokenStoreContract('a cluster', {
    async open() {
      await wipe()
      const one = redisTokenStore({ url: cluster.url })
      const other = redisTokenStore({ url: cluster.url })
      return {
        one,
        other,
        // real time: the servers have no other clock
        pass: ms => delay(ms),
        wipe,
        async [Symbol.asyncDispose]() {
          await one.close()
          await other.close()
        },
      }
    },
    shortMs: 20,
  })
})
