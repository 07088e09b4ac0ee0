import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import {
  redisNeed,
  startCuttableProxy,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  until,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured } from '../checks.ts'
import { findSecrets } from './find-secrets.ts'
import { monitorRedis } from './redis-monitor.ts'
import { Replicas, scope } from './replicas.ts'
import { clients, StoreLoad } from './store-load.ts'

function startDex(): Promise<DevDex> {
  return startDevDex({ algorithm: 'ES256', clients, idTokensMs: 8_000 })
}

function startReplicas(dex: DevDex, url: string): Promise<Replicas> {
  // A busy machine takes longer than the defaults, and is not the fault that is tested.
  const patience = { HTTP_TIMEOUT: '20s', SHARED_STORE_TIMEOUT: '300ms' }
  return Replicas.start(3, { DEX_TOKEN_URL: dex.tokenEndpoint, url, ...patience })
}

/** All files in a folder and those below, joined. */
async function filesIn(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Buffer.concat(await Promise.all(files.map(file => readFile(file))))
}

describe('three brokers with a store under load', needs(redisNeed()), () => {
  test('lose no check when brokers are killed and the store fails, and the store learns no secret', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ config: ['appendonly yes', 'rdbcompression no'] })
    await using proxy = await startCuttableProxy(redis.port)
    using monitor = await monitorRedis(redis.port)
    await using replicas = await startReplicas(dex, `redis://127.0.0.1:${proxy.port}`)
    await using load = await StoreLoad.start(replicas)
    const [first, second] = replicas.brokers as [(typeof replicas.brokers)[0], (typeof replicas.brokers)[0]]

    await load.during('nothing happens', async () => {})
    await load.during(
      'a broker is killed and another started',
      () => replicas.kill(first),
      () => replicas.add(),
    )
    await load.during(
      'a broker is killed while it holds leases',
      async () => {
        dex.setFault('token', { kind: 'slow', delayMs: 400 })
        load.addClients(30)
        await until(() => dex.counts.tokenRequests - dex.counts.tokensIssued >= 10, 'requests under way')
        await replicas.kill(second)
      },
      async () => {
        dex.clearFaults()
        await replicas.add()
      },
    )
    await load.during('FLUSHALL', () => redis.ask('FLUSHALL'))
    const paused = await load.during('CLIENT PAUSE for 1.5 s', () =>
      redis.ask('CLIENT', 'PAUSE', '1500', 'ALL'),
    )
    await load.recovered()
    const cut = await load.during(
      'the network drops all connections',
      async () => proxy.cut('drop'),
      () => proxy.mend(),
    )
    await load.recovered()
    const lost = await load.during(
      'the network loses all packets',
      async () => proxy.cut('blackhole'),
      () => proxy.mend(),
    )
    await load.recovered()
    await load.stop()
    for (const withoutStore of [paused, cut, lost]) expect(withoutStore).toBeGreaterThan(0)

    await redis.ask('SAVE')
    const folder =
      String((await redis.ask('CONFIG', 'GET', 'dir')) as unknown as string[]).split(',')[1] ?? ''
    const tokens = replicas.answers.flatMap(({ token }) => token ?? []).slice(-10)
    const secrets = new Map([
      ['client id', 'client-of-the-store'],
      ['secret', 'secret-of-the-store'],
      ['scope', scope],
      ['part of the scope', 'profile'],
      ['issuer', dex.issuer],
      ...tokens.flatMap((token, index) =>
        token.split('.').map((part, which) => [`token ${index} part ${which}`, part] as const),
      ),
    ])
    const [commands, files] = [monitor.content, await filesIn(folder)]
    printMeasured('searched for secrets', { bytesOfMonitor: commands.length, bytesOfFiles: files.length })
    expect(commands.includes('dex-token-broker:token:')).toBe(true)
    expect(files.includes('dex-token-broker:token:')).toBe(true)
    for (const data of [commands, files]) expect(findSecrets(data, secrets)).toEqual([])
    // The search finds what is there.
    const planted = Buffer.from(`x${tokens[0]} client-of-the-store`).toString('base64')
    await redis.ask('SET', 'planted', planted)
    await redis.ask('SAVE')
    const found = ['client id', 'token 0 part 0', 'token 0 part 1', 'token 0 part 2']
    expect(findSecrets(await filesIn(folder), secrets)).toEqual(expect.arrayContaining(found))
    await until(() => monitor.content.includes('planted'), 'the planted text')
    expect(findSecrets(monitor.content, secrets)).toEqual(expect.arrayContaining(found))
  })

  test('lose no check when Sentinel makes the replica the master', async () => {
    await using dex = await startDex()
    await using sentinel = await startRedisSentinel()
    await using replicas = await startReplicas(dex, sentinel.url)
    await using load = await StoreLoad.start(replicas)
    const withoutStore = await load.during('the master is killed', async () => {
      await sentinel.master.kill()
      load.addClients(30)
      await until(async () => (await sentinel.masterPort()) === sentinel.replica.port, 'the failover')
    })
    expect(withoutStore).toBeGreaterThan(0)
    await load.recovered()
    await load.during('the replica is the master', async () => {})
    await load.stop()
  })

  test('lose no check when a master of a cluster is killed, and when it is back', async () => {
    await using dex = await startDex()
    await using cluster = await startRedisCluster()
    await using replicas = await startReplicas(dex, cluster.url)
    await using load = await StoreLoad.start(replicas)
    const [victim] = cluster.masters
    const withoutStore = await load.during('one of three masters is killed', async () => {
      await victim?.kill()
      load.addClients(30)
    })
    expect(withoutStore).toBeGreaterThan(0)
    await load.during('it is back, empty', async () => victim?.restart())
    await load.recovered()
    await load.during('the cluster works', async () => {})
    await load.stop()
  })
})
