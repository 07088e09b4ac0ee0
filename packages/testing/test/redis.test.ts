import { expect, test } from 'vitest'
import {
  findRedis,
  redisNeed,
  startCuttableProxy,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../src/index.ts'
import { askRedis } from '../src/redis/redis-connection.ts'
import { until } from '../src/until.ts'
import { needs } from '../src/vitest.ts'

const real = needs(redisNeed())

test('the server is the one that is named, else the one on the PATH', () => {
  expect(findRedis({ REDIS_SERVER_BIN: '/opt/valkey-server', PATH: '' })).toBe('/opt/valkey-server')
  expect(findRedis({ PATH: '/does-not-exist' })).toBeUndefined()
})

test('a machine without a server skips the tests, unless they are required', () => {
  expect(redisNeed({ PATH: '' })).toEqual({ REDIS_SERVER_BIN: false })
  expect(() => redisNeed({ PATH: '', REQUIRE_REDIS: '1' })).toThrow('REQUIRE_REDIS is set')
})

test('a server forgets everything when it is killed and restarted', real, async () => {
  await using redis = await startRedis()
  await redis.ask('SET', 'key', 'value')
  expect(await redis.ask('GET', 'key')).toBe('value')
  await redis.kill()
  await redis.restart()
  expect(await redis.ask('GET', 'key')).toBeNull()
})

test('a server with TLS wants a client certificate of its own CA', real, async () => {
  await using redis = await startRedis({ tls: true })
  expect(await redis.ask('PING')).toBe('PONG')
  await expect(askRedis({ port: redis.port, tls: { ca: redis.tls?.ca ?? '' } }, ['PING'])).rejects.toThrow()
})

test('a master that is killed is replaced by its replica', real, async () => {
  await using sentinel = await startRedisSentinel()
  expect(await sentinel.masterPort()).toBe(sentinel.master.port)
  await sentinel.master.kill()
  await until(async () => (await sentinel.masterPort()) === sentinel.replica.port, 'a failover')
})

test('a cluster tells which master has a key', real, async () => {
  await using cluster = await startRedisCluster()
  const master = await cluster.masterOf('key')
  expect(await master.ask('SET', 'key', 'value')).toBe('OK')
  const [other] = cluster.masters.filter(one => one !== master)
  await expect(other?.ask('GET', 'key')).rejects.toThrow('MOVED')
})

test('a cut proxy drops connections, or keeps them and forwards nothing', real, async () => {
  await using redis = await startRedis()
  await using proxy = await startCuttableProxy(redis.port)
  const ping = (port: number) => askRedis({ port }, ['PING'])
  expect(await ping(proxy.port)).toBe('PONG')
  proxy.cut('drop')
  await expect(ping(proxy.port)).rejects.toThrow()
  proxy.cut('blackhole')
  const { accepted } = proxy
  const lost = ping(proxy.port)
  await until(() => proxy.accepted > accepted, 'the lost connection')
  proxy.mend()
  // A later answer on another connection: the first one would have come before.
  expect(await ping(proxy.port)).toBe('PONG')
  const answered = await Promise.race([lost, ping(proxy.port).then(() => 'no answer')])
  expect(answered).toBe('no answer')
  await proxy[Symbol.asyncDispose]()
  await expect(lost).rejects.toThrow()
})
