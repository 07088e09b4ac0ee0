import { type DevDex, startDevDex } from '@broker/dev-dex'
import { ask } from '@broker/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config/load-config.ts'
import { startServer } from '../src/start-server.ts'
import { ConfigFolder } from './config/file/config-folder.ts'
import type { LogLine } from './support/start-broker.ts'

const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

let staff: DevDex
let dex: DevDex
let otherDex: DevDex
beforeAll(async () => {
  staff = await startDevDex()
  const connector = { type: 'oidc', issuer: staff.issuer, insecureEnableGroups: true } as const
  const connectors = [
    { ...connector, id: 'staff' },
    { ...connector, id: 'userinfo', getUserInfo: true },
  ]
  dex = await startDevDex({
    connectors,
    clients: [
      { id: 'reports', secret: 'reports-secret' },
      { id: 'portal', secret: 'portal-secret' },
      { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
      { id: 'strict', secret: 'strict-secret' },
    ],
  })
  otherDex = await startDevDex({ connectors, clients: [{ id: 'far', secret: 'far-secret' }] })
})
afterAll(async () => {
  for (const each of [otherDex, dex, staff]) await each?.close()
})

/** Checks a request of a user by one rule; gives the last answer, and what was sent to Dex, to the log and to Prometheus. */
async function checkWith(rule: string, { userID = 'jane', times = 1 } = {}) {
  using folder = new ConfigFolder(`
issuers:
  - { name: staff, issuer: ${staff.issuer}, audiences: [web] }
  - { name: other, issuer: ${otherDex.issuer}, audiences: [web] }
clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET }, scope: openid email }
  - { name: far, clientId: far, clientSecret: { env: FAR_SECRET }, dex: other }
rules:
  - { name: people, when: 'true', ${rule} }
`)
  const config = loadConfig({
    CONFIG_FILE: folder.file,
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    SHUTDOWN_TIMEOUT: '200ms',
    DEX_ISSUER: dex.issuer,
    STATIC_CLIENT_ID: 'portal',
    STATIC_CLIENT_SECRET: 'portal-secret',
    REPORTS_SECRET: 'reports-secret',
    FAR_SECRET: 'far-secret',
  })
  const log: LogLine[] = []
  const logger = pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) })
  for (const each of [dex, otherDex]) each.resetRecords()
  await using server = await startServer(config, logger)
  const email = `${userID}@example.com`
  const jwt = staff.userToken({ client: 'web', userID, email, name: userID })
  const check = () =>
    ask(server.checkAddress.port, {
      target: '/check/orders',
      headers: { authorization: `Bearer ${jwt}` },
    })
  for (let count = 1; count < times; count += 1) await check()
  const answer = await check()
  const metrics = await fetch(`http://127.0.0.1:${server.adminAddress?.port}/metrics`)
  const sent = [...dex.tokenRequests, ...otherDex.tokenRequests].map(({ form, headers }) => ({
    ...form,
    client: Buffer.from(headers['authorization']?.slice('Basic '.length) ?? '', 'base64')
      .toString()
      .split(':')[0],
  }))
  expect(JSON.stringify(log)).not.toContain(jwt)
  return { answer, sent, jwt, log, warnings: config.warnings, metrics: await metrics.text() }
}

test.each([
  [
    'the scope of the client, and an ID token',
    '{ connectorId: staff, client: reports }',
    { client: 'reports', scope: 'openid email', subject_token_type: idTokenType },
  ],
  [
    'its scope and audiences',
    '{ connectorId: staff, client: reports, scope: groups, audiences: [orders] }',
    { client: 'reports', scope: 'groups audience:server:client_id:orders' },
  ],
  [
    'an access token',
    '{ connectorId: userinfo, client: reports, subjectTokenType: access_token }',
    { client: 'reports', subject_token_type: accessTokenType, connector_id: 'userinfo' },
  ],
  [
    'the default client',
    '{ connectorId: staff, client: default, scope: openid }',
    { client: 'portal', scope: 'openid' },
  ],
])('a rule exchanges the JWT of the caller: %s', async (_, exchange, expected) => {
  const { answer, sent, jwt, warnings } = await checkWith(`exchange: ${exchange}`)
  expect(answer.status).toBe(200)
  expect(warnings.filter(text => text.includes('exchange'))).toEqual([])
  expect(sent).toEqual([
    expect.objectContaining({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: jwt,
      ...expected,
    }),
  ])
})

test('the exchange is sent to the Dex of its client', async () => {
  const { answer, sent } = await checkWith('exchange: { connectorId: staff, client: far }')
  expect(answer.status).toBe(200)
  expect(sent).toEqual([expect.objectContaining({ client: 'far' })])
  expect(otherDex.counts.exchangeRequests).toBe(1)
})

test('users have their own cache, with its own metrics', async () => {
  const { sent, metrics } = await checkWith('exchange: { connectorId: staff, client: reports }', { times: 3 })
  expect(sent).toHaveLength(1)
  for (const line of [
    'exchange_cache_entries 1',
    'exchange_cache_misses_total 1',
    'exchange_cache_hits_total 2',
  ]) {
    expect(metrics).toContain(`dex_token_broker_${line}\n`)
  }
  expect(metrics).toContain('dex_token_broker_cache_entries 0\n')
})

test('headers that the rule sets go with the exchanged token', async () => {
  const { answer } = await checkWith(
    'exchange: { connectorId: staff, client: reports }, set: { x-caller: caller.claims.email }',
  )
  expect(answer.header('x-caller')).toBe('jane@example.com')
  expect(answer.header('authorization')).toMatch(/^Bearer /)
})

test.each([
  ['an unknown connector', '{ connectorId: staf, client: reports }', 'exchange.connectorId'],
  [
    'a peer that does not trust the client',
    '{ connectorId: staff, client: reports, audiences: [strict] }',
    'trustedPeers',
  ],
])('%s is 502 for Envoy, and a hint names the key of the file', async (_, exchange, hint) => {
  const { answer, log } = await checkWith(`exchange: ${exchange}`)
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([502, 'client_misconfigured'])
  expect(log).toContainEqual(expect.objectContaining({ hint: expect.stringContaining(hint) }))
})

test('a user whom Dex denies is forbidden, and the line in the log has the rule’s client and connector', async () => {
  // The connector needs a name.
  const { answer, log } = await checkWith('exchange: { connectorId: staff, client: reports }', { userID: '' })
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([403, 'forbidden'])
  expect(log).toContainEqual(
    expect.objectContaining({
      client: 'reports',
      connectorId: 'staff',
      hint: expect.stringContaining('exchange.connectorId'),
    }),
  )
})
