import { ask, type RawRequest } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { type BrokerUnderTest, orders, startBroker } from '../support/start-broker.ts'

function logLevel({ server }: BrokerUnderTest, { headers, ...request }: RawRequest = {}) {
  const { port = 0 } = server.adminAddress ?? {}
  return ask(port, { target: '/log-level', headers: { host: 'localhost', ...headers }, ...request })
}

const put = (body: string): RawRequest => ({ method: 'PUT', body })

describe('/log-level', () => {
  test('tells the level, and changes it at once: single checks are logged at DEBUG only', async () => {
    await using broker = await startBroker({ LOG_LEVEL: 'WARN' })
    expect((await logLevel(broker)).body).toBe('WARN\n')
    await broker.check({ headers: orders })
    expect(broker.log.filter(({ msg }) => msg === 'check')).toEqual([])

    expect(await logLevel(broker, put('debug\n'))).toMatchObject({ status: 200, body: 'DEBUG\n' })
    await broker.check({ headers: orders })
    expect(broker.log.filter(({ msg }) => msg === 'check')).toHaveLength(1)
    expect(broker.log).toContainEqual(
      expect.objectContaining({ msg: 'log level changed', logLevel: 'DEBUG', previous: 'WARN', by: 'admin' }),
    )
    expect((await logLevel(broker, put('ERROR'))).body).toBe('ERROR\n')
    await broker.check({ headers: orders })
    expect(broker.log.filter(({ msg }) => msg === 'check')).toHaveLength(1)
  })

  test.each(['', 'verbose', 'DEBUG INFO', 'silent'])('refuses %j, and stays as it was', async level => {
    await using broker = await startBroker({ LOG_LEVEL: 'WARN' })
    expect((await logLevel(broker, put(level))).status).toBe(400)
    expect((await logLevel(broker, put('x'.repeat(65)))).status).toBe(413)
    expect((await logLevel(broker)).body).toBe('WARN\n')
  })

  test.each([
    { host: 'broker.example' },
    { 'x-forwarded-for': '10.0.0.1' },
    { forwarded: 'for=10.0.0.1' },
    { 'x-envoy-external-address': '10.0.0.1' },
  ])('does not exist for a request that did not begin on this host: %j', async headers => {
    await using broker = await startBroker({ LOG_LEVEL: 'WARN' })
    for (const sent of [{ headers }, { ...put('DEBUG'), headers }]) {
      expect((await logLevel(broker, sent)).status).toBe(404)
    }
    expect((await logLevel(broker)).body).toBe('WARN\n')
  })

  test.each(['http://broker.example', 'http://localhost:3000', 'null'])(
    'is not changed by a page in a browser, whose origin is %s',
    async origin => {
      await using broker = await startBroker({ LOG_LEVEL: 'WARN', ADMIN_PAGE: 'on' })
      // With DNS rebinding, the host of the page is that of the listener.
      const headers = { origin, host: origin.replace(/^.*\//, '') }
      expect((await logLevel(broker, { ...put('DEBUG'), headers })).status).toBe(403)
      expect((await logLevel(broker)).body).toBe('WARN\n')
    },
  )

  test('is there for everybody with ADMIN_PAGE=on, and for nobody with off', async () => {
    await using open = await startBroker({ ADMIN_PAGE: 'on' })
    expect((await logLevel(open, { headers: { host: 'broker.example' } })).status).toBe(200)
    await using closed = await startBroker({ ADMIN_PAGE: 'off' })
    expect((await logLevel(closed, put('DEBUG'))).status).toBe(404)
  })

  test('is refused in a body of more than 64 bytes, and stays', async () => {
    await using broker = await startBroker({ LOG_LEVEL: 'WARN' })
    expect(await logLevel(broker, put('x'.repeat(64)))).toMatchObject({ status: 400 })
    expect(await logLevel(broker, put('x'.repeat(65)))).toMatchObject({ status: 413 })
    expect((await logLevel(broker)).body).toBe('WARN\n')
  })

  test('gives way to a LOG_LEVEL that a reload changes, and to no other reload', async () => {
    await using broker = await startBroker({ LOG_LEVEL: 'WARN' })
    const config = (LOG_LEVEL: string) =>
      loadConfig({ DEX_TOKEN_URL: broker.dex.tokenEndpoint, LOG_LEVEL, ADMIN_ADDR: '127.0.0.1:0' })
    await logLevel(broker, put('DEBUG'))
    broker.server.reload(config('WARN'))
    expect((await logLevel(broker)).body).toBe('DEBUG\n')
    broker.server.reload(config('ERROR'))
    expect((await logLevel(broker)).body).toBe('ERROR\n')
    expect(broker.log).toContainEqual(expect.objectContaining({ msg: 'log level changed', by: 'reload' }))
  })
})
