import { createCertificateAuthority, redisNeed, startCuttableProxy, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { leastRights } from './least-rights.ts'
import { RecordingLogger } from './recording-logger.ts'
import { isAnswered, keepRecord, textOf } from './steps.ts'

describe('a store with TLS', needs(redisNeed()), () => {
  test('is used with its CA and a client certificate', async () => {
    await using redis = await startRedis({ tls: true })
    await using store = redisTokenStore({ url: `rediss://127.0.0.1:${redis.port}`, tls: redis.tls })
    await keepRecord(store, 'name')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('is verified for the name that is set', async () => {
    await using redis = await startRedis({ tls: true })
    const url = `rediss://127.0.0.1:${redis.port}`
    await using right = redisTokenStore({ url, tls: { ...redis.tls, servername: 'localhost' } })
    await using wrong = redisTokenStore({ url, tls: { ...redis.tls, servername: 'store.example.com' } })
    expect(await isAnswered(right.get('name', 0))).toBe(true)
    await expect(wrong.get('name', 0)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test('is not used with another CA, and not without the client certificate it wants', async () => {
    await using redis = await startRedis({ tls: true })
    const url = `rediss://127.0.0.1:${redis.port}`
    const other = createCertificateAuthority('Another CA')
    const logger = new RecordingLogger()
    await using distrusting = redisTokenStore({ url, tls: { ...redis.tls, ca: other.cert }, logger })
    await using anonymous = redisTokenStore({ url, tls: { ca: redis.tls?.ca } })
    await expect(distrusting.get('name', 0)).rejects.toThrow(/certificate/)
    await expect(anonymous.get('name', 0)).rejects.toThrow()
    expect(logger.lines).toMatchObject([
      {
        level: 'warn',
        message: 'connection to the shared store failed',
        fields: { hint: 'add the CA of the certificate to tls.ca' },
      },
    ])
  })
})

describe('a store with users', needs(redisNeed()), () => {
  const aclUser = { name: 'broker', password: 'first', rules: leastRights }

  test('that refuses the password makes calls reject, and the log says once what to do', async () => {
    await using redis = await startRedis({ aclUser })
    const logger = new RecordingLogger()
    await using store = redisTokenStore({
      url: urlOf(redis),
      username: 'broker',
      password: 'wrong-secret',
      logger,
    })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'WRONGPASS' })
    // Several attempts later.
    await until(
      async () =>
        Number(/total_connections_received:(\d+)/.exec(String(await redis.ask('INFO', 'stats')))?.[1]) > 8,
    )
    expect(logger.lines).toEqual([
      {
        level: 'error',
        message: 'shared store refused the broker',
        fields: expect.objectContaining({
          why: expect.stringContaining('WRONGPASS'),
          hint: expect.stringMatching(/^set username and password/),
        }),
      },
    ])
    expect(JSON.stringify(logger.lines)).not.toContain('wrong-secret')
  })

  test('that wants a password from a store without one is named in the log', async () => {
    await using redis = await startRedis({ password: 'secret' })
    const logger = new RecordingLogger()
    await using store = redisTokenStore({ url: urlOf(redis), logger })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'NOAUTH' })
    expect(logger.lines).toMatchObject([
      { level: 'error', fields: { hint: expect.stringMatching(/^set password/) } },
    ])
  })

  test('takes the password of the user default', async () => {
    await using redis = await startRedis({ password: 'secret' })
    await using store = redisTokenStore({ url: urlOf(redis), password: 'secret' })
    await keepRecord(store, 'name')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('is asked with the password of the time at each new connection', async () => {
    await using redis = await startRedis({ aclUser })
    await using proxy = await startCuttableProxy(redis.port)
    let password = 'first'
    await using store = redisTokenStore({
      url: urlOf(proxy),
      username: 'broker',
      password: () => Promise.resolve(password),
    })
    await keepRecord(store, 'name')
    await redis.ask('ACL', 'SETUSER', 'broker', 'resetpass', '>second')
    password = 'second'
    // The old connection goes on; the next one needs the new password.
    expect(await textOf(store, 'name')).toBe('sealed')
    proxy.cut('drop')
    proxy.mend()
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(await textOf(store, 'name')).toBe('sealed')
  })

  test('whose password cannot be read makes calls reject until it can', async () => {
    await using redis = await startRedis({ password: 'secret' })
    let isThere = false
    const logger = new RecordingLogger()
    await using store = redisTokenStore({
      url: urlOf(redis),
      logger,
      password() {
        if (!isThere) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
        return 'secret'
      },
    })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'ENOENT' })
    isThere = true
    await until(() => isAnswered(store.get('name', 0)), 'an answer')
    expect(logger.lines).toMatchObject([
      { level: 'warn', fields: { why: expect.stringContaining('no such file') } },
      { level: 'info' },
    ])
  })

  test('that grants too little makes calls reject, and the log says once what is missing', async () => {
    await using redis = await startRedis({
      aclUser: { ...aclUser, rules: leastRights.replace('+eval ', '') },
    })
    const logger = new RecordingLogger()
    await using store = redisTokenStore({ url: urlOf(redis), username: 'broker', password: 'first', logger })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'NOPERM' })
    await expect(store.get('name', 0)).rejects.toMatchObject({ code: 'NOPERM' })
    expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'shared store refused the broker', fields: { why: expect.stringContaining('NOPERM') } },
    ])
  })

  test.each(leastRights.split(' ').filter(right => right.startsWith('+')))(
    'needs the right %s',
    async right => {
      await using redis = await startRedis({
        aclUser: { ...aclUser, rules: leastRights.replace(` ${right}`, '') },
      })
      await using store = redisTokenStore({ url: urlOf(redis), username: 'broker', password: 'first' })
      const run = async () => {
        const fence = await keepRecord(store, 'name')
        await store.get('name', 0)
        await store.get('name', 0)
        const end = store.onForgotten(() => {})
        await store.forget('name', fence, 1_000)
        end()
      }
      const isRefused = !(await isAnswered(run()))
      const denied = String(await redis.ask('ACL', 'LOG'))
      expect(isRefused || denied.includes(right.slice(1))).toBe(true)
    },
  )
})

function urlOf({ port }: { readonly port: number }): string {
  return `redis://127.0.0.1:${port}`
}
