import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { freePort, redisNeed, startCuttableProxy, startRedis, until, within } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { RecordingLogger } from './recording-logger.ts'
import { isAnswered, keepRecord, textOf } from './steps.ts'

describe('a store that fails', needs(redisNeed()), () => {
  test('that hangs makes calls reject after the command timeout, and answers again when it goes on', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis), commandTimeoutMs: 100 })
    await keepRecord(store, 'name')
    redis.pause()
    await expect(within(store.get('name', 0), 'a rejection')).rejects.toThrow('Command timed out')
    redis.resume()
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('that dies makes calls reject at once, and serves again when it is back, empty', async () => {
    await using redis = await startRedis()
    const logger = new RecordingLogger()
    await using store = redisTokenStore({ url: urlOf(redis), logger })
    const fence = await keepRecord(store, 'name')
    await redis.kill()
    await until(async () => !(await isAnswered(store.get('name', 0))), 'a rejection')
    await redis.restart()
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(await textOf(store, 'name')).toBeUndefined()
    expect(await keepRecord(store, 'name')).toBeGreaterThan(fence)
    expect(logger.count('connected to the shared store')).toBe(2)
    expect(logger.count('connection to the shared store failed')).toBeGreaterThan(0)
  })

  test('that is not there yet makes the first calls reject, says so once, and serves when it comes', async () => {
    const port = await freePort()
    const logger = new RecordingLogger()
    await using store = redisTokenStore({ url: `redis://127.0.0.1:${port}`, logger })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await using _redis = await startRedis({ port })
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'connection to the shared store failed'],
      ['info', 'connected to the shared store'],
    ])
  })

  test('that lost its scripts gets them again', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    await keepRecord(store, 'name')
    await redis.ask('SCRIPT', 'FLUSH')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('whose connections are dropped makes calls reject at once, and is connected again by itself', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    await using store = redisTokenStore({ url: urlOf(proxy) })
    await keepRecord(store, 'name')
    proxy.cut('drop')
    await until(async () => !(await isAnswered(store.get('name', 0))), 'a rejection')
    proxy.mend()
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('behind a network that swallows everything is reached by a new connection when there is one', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    await using store = redisTokenStore({ url: urlOf(proxy), commandTimeoutMs: 50, connectTimeoutMs: 200 })
    await keepRecord(store, 'name')
    proxy.cut('blackhole')
    await expect(store.get('name', 0)).rejects.toThrow('Command timed out')
    proxy.mend()
    await until(() => isAnswered(store.get('name', 0)), 'an answer on another connection')
    expect(proxy.accepted).toBeGreaterThan(1)
  })

  test('that is slow is answered late, or not at all after the command timeout', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    await using patient = redisTokenStore({ url: urlOf(proxy) })
    await using impatient = redisTokenStore({ url: urlOf(proxy), commandTimeoutMs: 40 })
    await keepRecord(patient, 'name')
    await keepRecord(impatient, 'other')
    proxy.delay(100)
    expect(await textOf(patient, 'name')).toBe('sealed')
    await expect(impatient.get('name', 0)).rejects.toThrow('Command timed out')
    proxy.delay(0)
    await until(
      async () => (await textOf(impatient, 'name').catch(() => undefined)) === 'sealed',
      'an answer',
    )
  })

  test('that is full refuses leases and records, and still gives and forgets what it has', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    const fence = await keepRecord(store, 'name')
    const leased = await store.lease('other', { leaseMs: 10_000, newerThan: 0 })
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
    await expect(store.lease('another', { leaseMs: 10_000, newerThan: 0 })).rejects.toMatchObject({
      code: 'OOM',
    })
    const record = {
      value: Buffer.from('sealed'),
      fence: leased.kind === 'leased' ? leased.fence : 0,
      keepMs: 1,
    }
    await expect(store.put('other', record)).rejects.toMatchObject({ code: 'OOM' })
    expect(await textOf(store, 'name')).toBe('sealed')
    await store.forget('name', fence, 60_000)
    expect(await textOf(store, 'name')).toBeUndefined()
  })

  test('that has something else under a key rejects, and works for the other names', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    await redis.ask('SET', 'dex-token-broker:token:text', 'x')
    await redis.ask('HSET', 'dex-token-broker:token:fields', 'fence', 'x', 'valueEnd', '9e99', 'value', 'x')
    await redis.ask('HSET', 'dex-token-broker:token:parts', 'fence', '5', 'valueEnd', '9e15')
    await expect(store.get('text', 0)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    await expect(store.lease('text', { leaseMs: 1_000, newerThan: 0 })).rejects.toMatchObject({
      code: 'WRONGTYPE',
    })
    await expect(store.get('fields', 0)).rejects.toThrow()
    await expect(store.get('parts', 0)).rejects.toThrow('answered something else')
    await keepRecord(store, 'name')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('whose log has foreign entries tells of the others', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    const heard: unknown[] = []
    await redis.ask('XADD', 'dex-token-broker:forgotten', '*', 'name', 'a')
    await redis.ask('XADD', 'dex-token-broker:forgotten', '*', 'name', 'b', 'fence', 'x')
    store.onForgotten(forgotten => heard.push(...forgotten))
    await store.forget('name', 7, 1_000)
    await until(() => heard.length > 0, 'an entry')
    expect(heard).toEqual([{ name: 'name', fence: 7 }])
  })

  test('whose log cannot be written rejects, and the repetition writes it and leaves a newer record alone', async () => {
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    const heard: unknown[] = []
    store.onForgotten(forgotten => heard.push(...forgotten))
    const fence = await keepRecord(store, 'name')
    await redis.ask('SET', 'dex-token-broker:forgotten', 'x')
    await expect(store.forget('name', fence, 60_000)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    await keepRecord(store, 'name', { text: 'newer' })
    await redis.ask('DEL', 'dex-token-broker:forgotten')
    await store.forget('name', fence, 60_000)
    await until(() => heard.length > 0, 'an entry')
    expect(heard).toEqual([{ name: 'name', fence }])
    expect(await textOf(store, 'name')).toBe('newer')
  })

  test('that was made a read-only replica is left for a new connection', async () => {
    await using master = await startRedis()
    await using redis = await startRedis()
    await using store = redisTokenStore({ url: urlOf(redis) })
    await keepRecord(store, 'name')
    await redis.ask('REPLICAOF', '127.0.0.1', String(master.port))
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'READONLY' })
    await redis.ask('REPLICAOF', 'NO', 'ONE')
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
  })
})

describe('a server that is not a store', () => {
  test.each([
    ['HTTP/1.1 400 Bad Request\r\n\r\n'],
    [Buffer.from([0, 255, 13, 10, 1, 2, 3, 13, 10])],
    ['$99999999\r\n'],
    ['*-5\r\n$x\r\n'],
    [''],
  ])('and answers %j makes calls reject', async garbage => {
    const server = createServer(socket => {
      socket.on('error', () => {}).on('data', () => socket.write(garbage))
    })
    const port = await portOf(server)
    const url = `redis://127.0.0.1:${port}`
    const store = redisTokenStore({ url, commandTimeoutMs: 100, connectTimeoutMs: 200 })
    await expect(within(store.get('name', 0), 'a rejection')).rejects.toMatchObject({ name: 'StoreFailure' })
    await within(store.close(), 'the end')
    server.close()
    await once(server, 'close')
  })

  test.each([`' '`, ' '])(
    'and quotes the password after %j does not bring it into an error or the log',
    async separator => {
      const server = createServer(socket => {
        socket
          .on('error', () => {})
          .on('data', data => {
            const parts = data.toString().split('\r\n')
            const quoted = parts.filter(part => !/^[*$]/.test(part)).join(separator)
            socket.write(`-ERR unknown command ${quoted}\r\n`)
          })
      })
      const port = await portOf(server)
      const logger = new RecordingLogger()
      const store = redisTokenStore({ url: `redis://127.0.0.1:${port}`, password: 'correct-horse', logger })
      const error: unknown = await store.get('name', 0).catch((reason: unknown) => reason)
      expect(JSON.stringify([error, String(error), logger.lines])).not.toContain('correct-horse')
      expect(logger.lines).toHaveLength(1)
      await store.close()
      server.close()
      await once(server, 'close')
    },
  )
})

function urlOf({ port }: { readonly port: number }): string {
  return `redis://127.0.0.1:${port}`
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
