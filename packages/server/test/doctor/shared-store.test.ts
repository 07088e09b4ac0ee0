import {
  createCertificateAuthority,
  freePort,
  listening,
  redisNeed,
  startCuttableProxy,
  startRedis,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { documentedStoreRights } from '../shared-store/documented-store-rights.ts'
import { StoreVolume, sealingKey } from '../shared-store/store-volume.ts'
import { orders, startBroker } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

/** Nothing listens there; what is tested here needs no Dex. */
const noDex = { DEX_TOKEN_URL: 'http://127.0.0.1:1/token', HTTP_TIMEOUT: '1s' }
/** A busy machine takes longer than the default. */
const patient = { ...noDex, SHARED_STORE_TIMEOUT: '2s' }
const password = 'Store+Password%41'
const user = { name: 'dex-token-broker', password, rules: documentedStoreRights() }
const withUser = { SHARED_STORE_USERNAME: user.name }

const ofStore = (verdicts: readonly string[]) =>
  verdicts.filter(each => /connection|TLS|round trip|latency|eviction|sealing/.test(each)).slice(1)

describe('doctor and a shared store', needs(redisNeed()), () => {
  test('that works: sends a record through it, and leaves none', async () => {
    await using redis = await startRedis()
    const key = sealingKey()
    using volume = new StoreVolume([key])
    const { text, verdicts, result } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(ofStore(verdicts)).toEqual([
      'ok connection 127.0.0.1:PORT',
      'ok round trip',
      'ok latency',
      'ok eviction',
      'ok sealing key',
    ])
    expect(result('round trip').fact).toBe(
      'a record was leased, written, read, forgotten and announced as forgotten',
    )
    expect(result('latency').fact).toMatch(/reads took [\d.]+ ms; SHARED_STORE_TIMEOUT is 2000 ms$/)
    expect(text).not.toContain(key)
    // The record ends by its time. The list of forgotten names has no token and no client.
    await expect
      .poll(() => redis.ask('KEYS', '*'), { timeout: 5_000 })
      .toEqual(['dex-token-broker:forgotten'])
  })

  test('works with the rights in docs/scaling.md, and says what it may not read', async () => {
    await using redis = await startRedis({ aclUser: user })
    using volume = new StoreVolume([sealingKey()], { password })
    const { text, result } = await doctor({
      ...patient,
      ...withUser,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result('round trip').verdict).toBe('ok')
    expect(result('SHARED_STORE_PASSWORD_FILE').verdict).toBe('ok')
    expect(result('eviction')).toMatchObject({ verdict: 'skipped', fact: expect.stringContaining('may not') })
    expect(result('sealing key')).toMatchObject({ verdict: 'ok', fact: expect.stringContaining('may not') })
    expect(text).not.toContain(password)
  })

  test('a wrong password: says which variables to set, and never shows it', async () => {
    await using redis = await startRedis({ aclUser: user })
    using volume = new StoreVolume([sealingKey()], { password: 'another-secret' })
    const { code, text, result } = await doctor({
      ...patient,
      ...withUser,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result(`connection 127.0.0.1:${redis.port}`).verdict).toBe('ok')
    expect(result('round trip')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('WRONGPASS'),
      advice:
        'set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE to a user of the store and its password',
    })
    expect(text).not.toContain('another-secret')
    expect(code).toBe(1)
  })

  test('no password where one is needed: names its variable', async () => {
    await using redis = await startRedis({ password })
    using volume = new StoreVolume([sealingKey()])
    const { result } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result('round trip')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('NOAUTH'),
      advice: expect.stringMatching(/^set SHARED_STORE_PASSWORD_FILE/),
    })
  })

  test('a user without the rights: names the step, and where the rights are listed', async () => {
    await using redis = await startRedis({ aclUser: { ...user, rules: '~other:* +@all' } })
    using volume = new StoreVolume([sealingKey()], { password })
    const { result } = await doctor({
      ...patient,
      ...withUser,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result('round trip')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringMatching(/^get failed: NOPERM/),
      advice: expect.stringContaining('docs/scaling.md'),
    })
  })

  test('a user who may not read the list of dropped tokens: warns', async () => {
    const rules = user.rules.replace('+xrange', '')
    await using redis = await startRedis({ aclUser: { ...user, rules } })
    using volume = new StoreVolume([sealingKey()], { password })
    const { result } = await doctor({
      ...patient,
      ...withUser,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result('round trip')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining('not announced'),
      advice: expect.stringContaining('docs/scaling.md'),
    })
  })

  test('TLS: names the CA that is not trusted, and passes with it', async () => {
    await using redis = await startRedis({ tls: true, config: ['tls-auth-clients no'] })
    const stranger = createCertificateAuthority('another authority')
    using volume = new StoreVolume([sealingKey()], { 'ca.crt': stranger.cert })
    const environment = { ...patient, ...volume.environment(`rediss://127.0.0.1:${redis.port}`) }
    const { result } = await doctor(environment)
    expect(result('TLS')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('"Redis test CA" is unknown here'),
      advice: 'add the certificate of the CA "Redis test CA" to SHARED_STORE_CA_FILE',
    })
    expect(result('round trip').verdict).toBe('skipped')

    volume.change({ 'ca.crt': redis.tls?.ca ?? '' })
    const trusting = await doctor(environment)
    expect(trusting.result('TLS').verdict).toBe('ok')
    expect(trusting.result('round trip').verdict).toBe('ok')
  })

  test('TLS to a port without it, and none to a port with it: names the scheme', async () => {
    await using plain = await startRedis()
    await using tls = await startRedis({ tls: true })
    using volume = new StoreVolume([sealingKey()])
    const toPlain = await doctor({
      ...patient,
      ...volume.environment(`rediss://127.0.0.1:${plain.port}`),
    })
    expect(toPlain.result('TLS')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('rediss:// uses TLS'),
    })
    const toTls = await doctor({ ...patient, ...volume.environment(`redis://127.0.0.1:${tls.port}`) })
    expect(toTls.result('round trip')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('SHARED_STORE_URL'),
    })
  })

  test('nothing listens: names the variable of the address', async () => {
    using volume = new StoreVolume([sealingKey()])
    const { code, result, verdicts } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${await freePort()}`),
    })
    expect(result('round trip').verdict).toBe('skipped')
    expect(verdicts.filter(each => each === 'failed connection 127.0.0.1:PORT')).toHaveLength(1)
    expect(code).toBe(1)
  })

  test('a store that hangs: fails in time', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    proxy.cut('blackhole')
    using volume = new StoreVolume([sealingKey()])
    const { result } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${proxy.port}`),
    })
    expect(result('round trip')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('get failed: '),
      advice: expect.stringContaining('SHARED_STORE_URL'),
    })
  })

  test('a store that is slower than SHARED_STORE_TIMEOUT: warns of its time', async () => {
    await using redis = await startRedis()
    await using proxy = await startCuttableProxy(redis.port)
    proxy.delay(30)
    using volume = new StoreVolume([sealingKey()])
    const { result } = await doctor({
      ...noDex,
      SHARED_STORE_TIMEOUT: '10ms',
      ...volume.environment(`redis://127.0.0.1:${proxy.port}`),
    })
    expect(result('latency')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining('SHARED_STORE_TIMEOUT is 10 ms'),
      advice: expect.stringContaining('SHARED_STORE_TIMEOUT'),
    })
  })

  test('a store that refuses records when it is full: warns', async () => {
    await using redis = await startRedis({ config: ['maxmemory 64mb', 'maxmemory-policy noeviction'] })
    using volume = new StoreVolume([sealingKey()])
    const { result } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
    })
    expect(result('eviction')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringMatching(/^[\d.]+ MiB used of 64\.0, noeviction/),
      advice: expect.stringContaining('volatile-ttl'),
    })
  })

  test('records of another key: names its id', async () => {
    await using redis = await startRedis()
    using theirs = new StoreVolume([sealingKey()])
    const url = `redis://127.0.0.1:${redis.port}`
    await using broker = await startBroker({ ...theirs.environment(url), SHARED_STORE_TIMEOUT: '2s' })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    await expect.poll(() => redis.ask('DBSIZE'), { timeout: 5_000 }).toBe(1)

    const same = await doctor({ ...patient, ...theirs.environment(url) })
    expect(same.result('sealing key').verdict).toBe('ok')
    using ours = new StoreVolume([sealingKey()])
    const { result } = await doctor({ ...patient, ...ours.environment(url) })
    const [theirId] = /[\da-f]{16}/.exec(same.result('sealing key').fact) ?? []
    expect(result('sealing key')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining(`the store has records of ${theirId}, which is not in`),
      advice: expect.stringContaining('SHARED_STORE_KEY_FILE'),
    })
  })

  test('a key file that is missing, or has no key: names it, and never its content', async () => {
    using volume = new StoreVolume(['not-a-key'])
    const environment = { ...patient, ...volume.environment('redis://127.0.0.1:1') }
    const missing = await doctor({ ...environment, SHARED_STORE_KEY_FILE: `${volume.file('keys')}.gone` })
    expect(missing.result('SHARED_STORE_KEY_FILE')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('does not exist'),
    })
    const bad = await doctor(environment)
    expect(bad.result('SHARED_STORE_KEY_FILE')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('line 1 of '),
    })
    expect(bad.text).not.toContain('not-a-key')
    expect(bad.code).toBe(1)
  })

  test('something that does not speak the protocol: fails', async () => {
    await using other = await listening((_, answer) => void answer.end())
    using volume = new StoreVolume([sealingKey()])
    const { result } = await doctor({
      ...patient,
      ...volume.environment(`redis://127.0.0.1:${other.port}`),
    })
    expect(result('round trip').verdict).toBe('failed')
  })
})
