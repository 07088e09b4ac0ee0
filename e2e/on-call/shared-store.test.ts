import { randomBytes } from 'node:crypto'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import {
  ask,
  type BrokerProcess,
  freePort,
  MountedVolume,
  redisNeed,
  startBroker,
  startRedis,
  until,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { expectProblem, viewOf } from './on-call-view.ts'

const headers = { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret' }
const newKey = () => randomBytes(32).toString('base64')

function startDex(): Promise<DevDex> {
  return startDevDex({ clients: [{ id: 'reports', secret: 'reports-secret' }] })
}

/** Starts a broker that caches nothing, so that each check asks the store. */
function startWithStore(dex: DevDex, volume: MountedVolume, port: number, environment = {}) {
  return startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    CACHE_MAX_ENTRIES: '0',
    SHARED_STORE_URL: `redis://127.0.0.1:${port}`,
    SHARED_STORE_KEY_FILE: volume.file('keys'),
    ...environment,
  })
}

async function expectAllowed({ port }: BrokerProcess) {
  expect((await ask(port, { headers })).status).toBe(200)
}

const operations = (outcome: string) =>
  `dex_token_broker_shared_store_operations_total{operation="lease",outcome="${outcome}"}`

/** The page says so as soon as the circuit of the store opens, which takes more than one failure. */
async function expectFailingStore(broker: BrokerProcess, cause: string): Promise<void> {
  const view = viewOf(broker, {})
  await until(async () => {
    await expectAllowed(broker)
    return (await view.problems()).some(({ kind }) => kind === 'shared-store-failing')
  }, 'the problem')
  await expectProblem(view, {
    kind: 'shared-store-failing',
    severity: 'warning',
    summary: `The shared store fails (${cause}): each replica requests its own tokens`,
    action: 'check the store, its password and the network between; SHARED_STORE_URL names it',
  })
}

async function seriesOf({ adminPort }: BrokerProcess): Promise<string> {
  return (await ask(adminPort, { target: '/metrics' })).body
}

describe('a shared store', needs(redisNeed()), () => {
  test('The shared store is down', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ keys: newKey() })
    await using broker = await startWithStore(dex, volume, await freePort())
    await expectAllowed(broker)
    expect(broker.process.log).toMatch(
      /"why":"[^"]*ECONNREFUSED[^"]*".*"msg":"connection to the shared store failed"/,
    )
    expect(await seriesOf(broker)).toMatch(operations('failed'))
    expect((await ask(broker.adminPort, { target: '/readyz' })).status).toBe(200)
    await expectFailingStore(broker, 'ECONNREFUSED')
  })

  test('The password of the shared store is wrong', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({
      aclUser: { name: 'broker', password: 'right', rules: '~* +@all' },
    })
    using volume = new MountedVolume({ keys: newKey(), password: 'wrong' })
    await using broker = await startWithStore(dex, volume, redis.port, {
      SHARED_STORE_USERNAME: 'broker',
      SHARED_STORE_PASSWORD_FILE: volume.file('password'),
    })
    await expectAllowed(broker)
    await until(() => broker.process.log.includes('shared store refused the broker'), 'a line of the log')
    expect(broker.process.log).toMatch(/"why":"WRONGPASS.*"hint":"[^"]*SHARED_STORE_PASSWORD_FILE/)
    expect(await seriesOf(broker)).toMatch(operations('failed'))
    await expectFailingStore(broker, 'WRONGPASS')
  })

  test('The replicas seal with different keys', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using one = new MountedVolume({ keys: newKey() })
    using other = new MountedVolume({ keys: newKey() })
    await using first = await startWithStore(dex, one, redis.port)
    await using second = await startWithStore(dex, other, redis.port)
    for (const broker of [first, second]) await expectAllowed(broker)
    expect(dex.counts.tokenRequests).toBe(2)
    const keys = await Promise.all(
      [first, second].map(
        async broker => /shared_store_sealing_key\{key="(\w+)"\} 1/.exec(await seriesOf(broker))?.[1],
      ),
    )
    expect(keys).toEqual([expect.any(String), expect.any(String)])
    expect(keys[0]).not.toBe(keys[1])
  })

  test('Other software writes into the records of the shared store', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    using volume = new MountedVolume({ keys: newKey() })
    await using broker = await startWithStore(dex, volume, redis.port)
    await expectAllowed(broker)
    const name = String(await redis.ask('KEYS', '*:token:*'))
    await until(async () => (await redis.ask('HEXISTS', name, 'value')) === 1, 'a record')
    await redis.ask('HSET', name, 'value', 'x'.repeat(200))
    await expectAllowed(broker)
    expect(await seriesOf(broker)).toMatch(operations('unreadable'))
    expect(broker.process.log).toContain('answer of the shared store is unreadable')
    expect(dex.counts.tokenRequests).toBe(2)
  })
})
