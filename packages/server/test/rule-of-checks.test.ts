import type { Choice } from '@broker/core'
import { ask } from '@broker/testing'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config/load-config.ts'
import { startServer } from '../src/start-server.ts'
import { type LogLine, startDex } from './support/start-broker.ts'

test('the log line of a check names the rule that decided, where one did', async () => {
  await using dex = await startDex()
  const config = loadConfig({
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    DEX_TOKEN_URL: dex.tokenEndpoint,
    LOG_LEVEL: 'DEBUG',
  })
  const clients = { invoices: { clientId: 'billing', clientSecret: 'billing-secret' } }
  const choices: Record<string, Choice> = {
    '/named': { client: 'invoices', rule: 'by name' },
    '/own': { client: 'caller' },
    '/never': { deny: 'never', rule: 'nobody' },
  }
  const log: LogLine[] = []
  const logger = pino(
    { level: 'debug', base: null },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  )
  await using server = await startServer(
    {
      ...config,
      broker: { ...config.broker, clients, chooseClient: (_, { path }) => choices[path] as Choice },
    },
    logger,
  )
  const statuses: number[] = []
  for (const path of ['/named', '/named', '/own', '/never']) {
    statuses.push((await ask(server.checkAddress.port, { target: `/check${path}` })).status)
  }
  expect(statuses).toEqual([200, 200, 401, 403])
  const checks = log.filter(({ msg }) => msg === 'check')
  expect(checks.map(({ outcome, code, rule }) => [outcome, code, rule])).toEqual([
    ['allow', undefined, 'by name'],
    ['allow', undefined, 'by name'],
    ['deny', 'missing_credentials', undefined],
    ['deny', 'forbidden', 'nobody'],
  ])
})
