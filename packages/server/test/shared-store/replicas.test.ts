import { brokerCommand, freePort, redisNeed, startCuttableProxy, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { startReloadingBroker } from '../reload/start-reloading-broker.ts'
import { Command } from '../support/command.ts'
import { bearerOf, orders, startDex } from '../support/start-broker.ts'
import { StoreVolume, sealingKey } from './store-volume.ts'

describe('servers with a shared store', needs(redisNeed()), () => {
  test('make one token request for all of them', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using volume = new StoreVolume([sealingKey()])
    const environment = volume.environment(`redis://127.0.0.1:${redis.port}`)
    await using one = await startReloadingBroker(dex, environment)
    await using other = await startReloadingBroker(dex, environment)
    const answers = await Promise.all([one, other, one, other].map(broker => broker.check(orders)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(new Set(answers.map(answer => bearerOf(answer))).size).toBe(1)
    expect(dex.counts.tokenRequests).toBe(1)
    for (const broker of [one, other]) expect(broker.lines('connected to the shared store')).toHaveLength(1)
  })

  test('share nothing under different prefixes', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using volume = new StoreVolume([sealingKey()])
    const environment = volume.environment(`valkey://127.0.0.1:${redis.port}/1`)
    await using one = await startReloadingBroker(dex, environment)
    await using other = await startReloadingBroker(dex, { ...environment, SHARED_STORE_PREFIX: 'staging' })
    for (const broker of [one, other]) expect((await broker.check(orders)).status).toBe(200)
    expect(dex.counts.tokenRequests).toBe(2)
    expect(await redis.ask('INFO', 'keyspace')).toContain('db1:keys=2')
  })

  test('start while the store is down, are ready, and use it once it is there', async () => {
    await using dex = await startDex()
    const port = await freePort()
    using volume = new StoreVolume([sealingKey()])
    const environment = { ...volume.environment(`redis://127.0.0.1:${port}`), CACHE_MAX_ENTRIES: '0' }
    await using one = await startReloadingBroker(dex, environment)
    await using other = await startReloadingBroker(dex, environment)
    for (const broker of [one, other]) {
      expect(await broker.admin('/readyz')).toMatchObject({ status: 200 })
      expect((await broker.check(orders)).status).toBe(200)
    }
    expect(dex.counts.tokenRequests).toBe(2)
    await using _redis = await startRedis({ port })
    for (const broker of [one, other]) {
      await until(() => broker.lines('connected to the shared store').length === 1, 'a connection', 10_000)
    }
    // A circuit that has opened makes its next call after a second.
    await until(
      async () => {
        const before = dex.counts.tokenRequests
        for (const broker of [one, other]) await broker.check(orders)
        return dex.counts.tokenRequests === before
      },
      'checks without a token request',
      10_000,
    )
  })

  test('make one token request from the first check on, also when it takes long to connect', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ tls: true, config: ['tls-auth-clients no'] })
    await using proxy = await startCuttableProxy(redis.port)
    using volume = new StoreVolume([sealingKey()], { 'ca.crt': redis.tls?.ca ?? '' })
    // Enough for a call on a new server, which does not have its script: two answers. Not enough to connect as well.
    const environment = {
      ...volume.environment(`rediss://127.0.0.1:${proxy.port}`),
      SHARED_STORE_TIMEOUT: '1300ms',
    }
    proxy.delay(500)
    await using one = await startReloadingBroker(dex, environment)
    await using other = await startReloadingBroker(dex, environment)
    expect((await one.check(orders)).status).toBe(200)
    // The check did not wait for it.
    await until(async () => {
      const [record] = (await redis.ask('KEYS', '*')) as string[]
      return record !== undefined && (await redis.ask('HGET', record, 'value')) !== null
    }, 'the stored token')
    expect((await other.check(orders)).status).toBe(200)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('start while the store accepts connections and never answers', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    redis.pause()
    using volume = new StoreVolume([sealingKey()])
    await using broker = await startReloadingBroker(
      dex,
      volume.environment(`redis://127.0.0.1:${redis.port}`),
    )
    expect(broker.lines('listening')).toHaveLength(1)
    // The attempt to connect is longer than the start waits for it.
    expect(broker.lines('connection to the shared store failed')).toEqual([])
    expect((await broker.check(orders)).status).toBe(200)
  })

  test('close their connection when they stop, after the last check', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using volume = new StoreVolume([sealingKey()])
    const broker = await startReloadingBroker(dex, volume.environment(`redis://127.0.0.1:${redis.port}`))
    dex.setFault('token', { kind: 'slow', delayMs: 200 })
    const check = broker.check(orders)
    await until(() => dex.counts.tokenRequests === 1, 'the token request')
    await broker[Symbol.asyncDispose]()
    expect((await check).status).toBe(200)
    const clients = String(await redis.ask('CLIENT', 'LIST'))
    expect(clients).not.toContain('name=dex-token-broker')
    // The last check left its token for the others.
    expect(await redis.ask('DBSIZE')).toBe(1)
  })
})

test('the command loads the client of a store only when there is one', async () => {
  using volume = new StoreVolume([sealingKey()])
  const preload = `
    import { registerHooks } from 'node:module'
    registerHooks({
      load(url, context, next) {
        if (/node_modules.(?:\\.pnpm.)?ioredis/.test(url)) process.stderr.write('loaded ')
        return next(url, context)
      },
    })`
  const hook = `data:text/javascript,${encodeURIComponent(preload)}`
  const stderrOf = async (environment: Readonly<Record<string, string>>) => {
    await using command = new Command(process.execPath, ['--import', hook, brokerCommand], {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      ...environment,
    })
    await command.listening()
    return command.stderr
  }
  expect(await stderrOf({})).toBe('')
  expect(await stderrOf(volume.environment('redis://127.0.0.1:1'))).toContain('loaded')
})
