import { createCertificateAuthority, MountedVolume, redisNeed, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { type ReloadingBroker, startReloadingBroker } from '../reload/start-reloading-broker.ts'
import { bearerOf, orders, startDex } from '../support/start-broker.ts'
import { documentedStoreRights } from './documented-store-rights.ts'
import { StoreVolume, sealingKey } from './store-volume.ts'

const user = 'dex-token-broker'
const passwords = { old: 'Old+Password%41', fresh: 'Fresh+Password%42' }

async function refusalOf(broker: ReloadingBroker) {
  const lines = () => broker.lines('shared store refused the broker')
  await until(() => lines().length > 0, 'a refusal in the log')
  return lines()[0]
}

const aclUser = { name: user, password: passwords.old, rules: documentedStoreRights() }

describe('access to a shared store', needs(redisNeed()), () => {
  test('needs no more rights than docs/scaling.md gives, also for records that are forgotten', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ aclUser })
    using volume = new StoreVolume([sealingKey()], { password: passwords.old })
    const environment = {
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
      SHARED_STORE_USERNAME: user,
    }
    const watching = { ...environment, DEX_JWKS_URL: dex.jwksUri, JWKS_MAX_AGE: '1s' }
    await using one = await startReloadingBroker(dex, watching)
    await using other = await startReloadingBroker(dex, environment)
    const token = bearerOf(await one.check(orders))
    expect(bearerOf(await other.check(orders))).toBe(token)
    expect(dex.counts.tokenRequests).toBe(1)
    expect(
      await one.metric('dex_token_broker_shared_store_operations_total{operation="put",outcome="kept"}'),
    ).toBe(1)
    // Only the first broker watches the keys of Dex.
    await until(() => dex.counts.keysRequests > 0, 'the key set')
    await dex.rotateKeys()
    dex.retireKey()
    await until(() => one.lines('tokens dropped: the key that signed them is gone').length === 1, 'the drop')
    await until(async () => bearerOf(await other.check(orders)) !== token, 'the drop of the other broker')
    expect(bearerOf(await one.check(orders))).toBe(bearerOf(await other.check(orders)))
    expect(dex.counts.tokenRequests).toBe(2)
    for (const broker of [one, other]) expect(broker.lines('shared store refused the broker')).toEqual([])
    expect(await redis.ask('ACL', 'LOG')).toEqual([])
  })

  test('by a rotated password takes effect at the next connection', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ aclUser })
    using volume = new StoreVolume([sealingKey()], { password: passwords.old })
    await using broker = await startReloadingBroker(dex, {
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
      SHARED_STORE_USERNAME: user,
    })
    const connections = () => broker.lines('connected to the shared store').length
    await until(() => connections() === 1, 'the first connection')

    await redis.ask('ACL', 'SETUSER', user, `>${passwords.fresh}`, `<${passwords.old}`)
    await redis.ask('CLIENT', 'KILL', 'USER', user)
    expect(await refusalOf(broker)).toMatchObject({
      level: 50,
      why: expect.stringMatching(/^WRONGPASS/),
      hint: expect.stringMatching(/SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE/),
    })
    expect((await broker.check(orders)).status).toBe(200)

    volume.change({ password: passwords.fresh })
    await broker.look()
    await until(() => connections() === 2, 'the next connection', 10_000)
    expect(broker.lines('configuration reloaded')).toHaveLength(1)
    for (const password of Object.values(passwords))
      expect(JSON.stringify(broker.log)).not.toContain(password)
  })

  test('without a password says which variable to set', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ password: passwords.old })
    using volume = new StoreVolume([sealingKey()])
    await using broker = await startReloadingBroker(
      dex,
      volume.environment(`redis://127.0.0.1:${redis.port}`),
    )
    expect((await broker.check(orders)).status).toBe(200)
    expect(await refusalOf(broker)).toMatchObject({
      why: expect.stringMatching(/^NOAUTH/),
      hint: expect.stringMatching(/^set SHARED_STORE_PASSWORD_FILE/),
    })
  })

  test('without the rights says where they are listed', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ aclUser: { ...aclUser, rules: '~other:* +@all' } })
    using volume = new StoreVolume([sealingKey()], { password: passwords.old })
    await using broker = await startReloadingBroker(dex, {
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
      SHARED_STORE_USERNAME: user,
    })
    expect((await broker.check(orders)).status).toBe(200)
    expect(await refusalOf(broker)).toMatchObject({
      why: expect.stringMatching(/^NOPERM/),
      hint: expect.stringContaining('docs/scaling.md'),
    })
  })

  test('over TLS trusts the certificates of SHARED_STORE_CA_FILE, and changed ones at the next connection', async () => {
    await using dex = await startDex()
    await using redis = await startRedis({ tls: true, config: ['tls-auth-clients no'] })
    const stranger = createCertificateAuthority('another authority')
    using volume = new StoreVolume([sealingKey()], { 'ca.crt': stranger.cert })
    await using broker = await startReloadingBroker(
      dex,
      volume.environment(`rediss://127.0.0.1:${redis.port}`),
    )
    const failures = () => broker.lines('connection to the shared store failed')
    await until(() => failures().length > 0, 'a failed connection')
    expect(failures()[0]).toMatchObject({
      why: expect.stringMatching(/certificate/),
      hint: 'add the CA of the certificate to SHARED_STORE_CA_FILE',
    })
    expect((await broker.check(orders)).status).toBe(200)
    volume.change({ 'ca.crt': redis.tls?.ca ?? '' })
    await broker.look()
    await until(() => broker.lines('connected to the shared store').length === 1, 'a connection', 10_000)
  })

  test('to another store waits for the next start, and everything else takes effect', async () => {
    await using dex = await startDex()
    await using redis = await startRedis()
    const [old, fresh] = [sealingKey(), sealingKey()]
    const settings = (url: string, more = '') =>
      `settings: { SHARED_STORE_URL: '${url}', SHARED_STORE_KEY_FILE: ${keyFile}${more} }\n`
    const url = `redis://127.0.0.1:${redis.port}`
    using keys = new StoreVolume([old])
    const keyFile = keys.file('keys')
    using volume = new MountedVolume({ 'config.yaml': settings(url) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    keys.changeKeys(fresh)
    const others = ', SHARED_STORE_PREFIX: other, SHARED_STORE_TIMEOUT: 40ms'
    volume.swap({ 'config.yaml': settings('redis://127.0.0.1:1', others) })
    await broker.look()
    expect(broker.lines('changed settings take effect at the next start')).toMatchObject([
      { settings: ['SHARED_STORE_URL', 'SHARED_STORE_PREFIX'] },
    ])
    expect((await broker.check(orders)).status).toBe(200)
    expect(await redis.ask('DBSIZE')).toBe(1)
    // Without the store in the file, the broker keeps the one that it has, with its keys.
    volume.swap({ 'config.yaml': 'settings: { SHUTDOWN_TIMEOUT: 1s }\n' })
    await broker.look()
    expect(broker.lines('configuration reloaded')).toHaveLength(2)
    expect(broker.log.filter(({ level }) => level === 50)).toEqual([])
  })
})
