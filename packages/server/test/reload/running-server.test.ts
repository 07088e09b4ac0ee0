import { ask } from '@broker/testing'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { startServer } from '../../src/start-server.ts'
import { bearerOf, orders, startDex } from '../support/start-broker.ts'

async function startWith(tokenEndpoint: string) {
  const environment = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', DEX_TOKEN_URL: tokenEndpoint }
  const configWith = (more: Readonly<Record<string, string>>) => loadConfig({ ...environment, ...more })
  const server = await startServer(configWith({}), pino({ level: 'silent' }))
  const check = () => ask(server.checkAddress.port, { headers: orders })
  return { server, configWith, check }
}

test('reload puts a configuration of the same process into effect, and keeps tokens', async () => {
  await using dex = await startDex()
  const { server, configWith, check } = await startWith(dex.tokenEndpoint)
  await using _ = server
  const token = bearerOf(await check())
  server.reload(configWith({ ALLOWED_CLIENT_IDS: 'billing' }))
  expect((await check()).status).toBe(403)
  server.reload(configWith({ ALLOWED_CLIENT_IDS: 'billing,orders', HTTP_TIMEOUT: '2s' }))
  expect(bearerOf(await check())).toBe(token)
  expect(dex.counts.tokenRequests).toBe(1)
})

test('reload of wrong options throws and changes nothing', async () => {
  await using dex = await startDex()
  const { server, configWith, check } = await startWith(dex.tokenEndpoint)
  await using _ = server
  const config = configWith({ UPSTREAM_AUTH_HEADER: 'x-token' })
  const wrong = { ...config, broker: { ...config.broker, requestTimeoutMs: -1 } }
  expect(() => server.reload(wrong)).toThrow(
    new TypeError('requestTimeoutMs must be a number of milliseconds from 1 to 2147483647'),
  )
  bearerOf(await check())
})

test('reload after close throws', async () => {
  await using dex = await startDex()
  const { server, configWith } = await startWith(dex.tokenEndpoint)
  await server.close()
  expect(() => server.reload(configWith({}))).toThrow(TypeError)
})
