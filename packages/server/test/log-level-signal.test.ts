import { ask, startBroker, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { orders, startDex } from './support/start-broker.ts'

test('SIGUSR2 turns DEBUG on in the running command, and ends neither it nor a check', async () => {
  await using dex = await startDex()
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  const logOf = () => broker.process.log
  const check = () => ask(broker.port, { headers: { ...orders, 'x-request-id': 'a-1' } })
  expect((await check()).status).toBe(200)
  expect(logOf()).not.toContain('"msg":"check"')

  broker.process.signal('SIGUSR2')
  await until(() => logOf().includes('log level changed'), 'the change in the log')
  expect(logOf()).toContain('"logLevel":"DEBUG","previous":"INFO","by":"signal","forMs":600000')
  expect((await check()).status).toBe(200)
  await until(() => logOf().includes('"msg":"check"'), 'the check in the log')

  const local = { target: '/log-level', headers: { host: 'localhost' } }
  expect((await ask(broker.adminPort, local)).body).toBe('DEBUG\n')
  expect((await ask(broker.adminPort, { ...local, method: 'PUT', body: 'warn' })).body).toBe('WARN\n')
  await until(
    () => logOf().includes('"logLevel":"WARN","previous":"DEBUG","by":"admin"'),
    'the second change',
  )
  expect(broker.process.hasEnded).toBe(false)
})

test('SIGUSR1 opens no debugger', async () => {
  await using dex = await startDex()
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  broker.process.signal('SIGUSR1')
  // Sent later and answered by a line: what SIGUSR1 prints is in the log by then.
  broker.process.signal('SIGUSR2')
  await until(() => broker.process.log.includes('log level changed'), 'the change in the log')
  expect((await ask(broker.port, { headers: orders })).status).toBe(200)
  expect(broker.process.log).not.toContain('Debugger')
})

test('each line names its level in words, also the faults of a configuration', async () => {
  await using dex = await startDex()
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, LOG_LEVEL: 'DEBUG-4' })
  await ask(broker.port, {})
  await ask(broker.port, { headers: orders })
  await until(() => broker.process.log.includes('token issued'), 'the log')
  const lines = broker.process.log.trim().split('\n')
  for (const line of lines) {
    expect(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).toContain(JSON.parse(line).level)
  }
  const start = startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, HTTP_TIMEOUT: 'soon', ACCESS_LOG: 'some' })
  await expect(start).rejects.toThrow(/"level":"fatal".*HTTP_TIMEOUT[\s\S]*"level":"fatal".*ACCESS_LOG/)
})
