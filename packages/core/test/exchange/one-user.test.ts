import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { BrokerError } from '../../src/shared/errors.ts'
import { caughtUp, failureOf, until } from '../broker-with-dex.ts'
import { claimsOf, gateOf, reports, startBrokerWithUsers } from './broker-with-users.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`)

test('a user with a thousand fresh JWTs a minute causes at most 40 requests at Dex and evicts nobody', async () => {
  await using running = await startBrokerWithUsers({
    client: reports,
    exchangeMaxEntries: 40,
    cacheMaxEntries: 2,
  })
  const { broker, clock, dex } = running
  const machine = await broker.getToken()
  const others = names(8).map(name => running.jwtOf(name))
  const tokens = await Promise.all(others.map(jwt => running.exchange(jwt)))
  const before = dex.counts.tokenRequests

  let overloaded = 0
  for (let index = 0; index < 1_000; index++) {
    clock.advance(60)
    const failure = await running.exchange(running.jwtOf('mallory')).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure === undefined) continue
    overloaded++
    expect(failure).toMatchObject({ code: 'overloaded', status: 503, transient: true })
    expect((failure as BrokerError).retryAfterMs).toBeLessThanOrEqual(2_000)
  }
  // The burst of 10, and one in two seconds: a minute less the first 60 ms.
  expect(dex.counts.tokenRequests - before).toBe(39)
  expect(overloaded).toBe(961)

  expect(await Promise.all(others.map(jwt => running.exchange(jwt)))).toEqual(tokens)
  expect(await broker.getToken()).toBe(machine)
  expect(dex.counts.tokenRequests - before).toBe(39)
  expect(broker.exchangeStatistics).toMatchObject({ entries: 40, evictions: 7 })
  expect(broker.cacheStatistics).toMatchObject({ entries: 1, evictions: 0 })
  const lines = running.log.lines.filter(({ message }) => message.startsWith('token exchanges refused'))
  expect(lines.length).toBeGreaterThan(3)
  expect(lines.length).toBeLessThan(8)
  expect(inspect(lines)).not.toContain('mallory')
  expect(lines[0]).toMatchObject({
    level: 'warn',
    fields: { clientId: 'reports', connectorId: 'staff', limit: 'pace', count: 1 },
  })
})

test('by checks with a gate, such a user loads Dex and the key set no more, and takes no token from others', async () => {
  await using running = await startBrokerWithUsers(idp => ({
    ...gateOf(idp),
    client: reports,
    exchangeMaxEntries: 40,
    chooseClient: caller =>
      caller?.claims['name'] === 'machine'
        ? { client: 'default' }
        : { exchange: { connectorId: 'staff', client: 'default' } },
  }))
  const { broker, clock, dex, idp } = running
  const check = async (jwt: string) => {
    const verdict = await broker.check({ headers: ['authorization', `Bearer ${jwt}`] })
    return verdict.outcome === 'allow' ? verdict.set['authorization'] : verdict.status
  }
  const others = ['machine', ...names(8)].map(name => running.jwtOf(name))
  const tokens = await Promise.all(others.map(check))
  expect(new Set(tokens).size).toBe(9)
  const before = dex.counts.tokenRequests
  const { keysRequests } = idp.counts

  const outcomes: unknown[] = []
  for (let index = 0; index < 1_000; index++) {
    clock.advance(60)
    outcomes.push(await check(running.jwtOf('mallory')))
  }
  expect(outcomes.filter(outcome => outcome === 503)).toHaveLength(961)
  expect(await Promise.all(others.map(check))).toEqual(tokens)
  expect(dex.counts.tokenRequests - before).toBe(39)
  expect(idp.counts.keysRequests).toBe(keysRequests)
})

test('a user has at most four exchanges in flight, and other users go on', async () => {
  await using running = await startBrokerWithUsers()
  running.dex.setFault('token', { kind: 'slow', delayMs: 60 })
  const all = Promise.allSettled(names(6).map(() => running.exchange(running.jwtOf('mallory'))))
  const others = await Promise.all(names(6).map(name => running.exchange(running.jwtOf(name))))
  expect(others).toHaveLength(6)
  const outcomes = await all
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
  const refused = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
  for (const error of refused) expect(error).toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 })
  running.dex.clearFaults()
  await running.exchange(running.jwtOf('mallory'))
})

test('at most 256 calls wait for one exchange, so that one user takes few of the places', async () => {
  await using running = await startBrokerWithUsers()
  running.dex.setFault('token', { kind: 'slow', delayMs: 100 })
  const jwt = running.jwtOf('mallory')
  const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => running.exchange(jwt)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(256)
  expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'overloaded', retryAfterMs: 1_000 } })
  expect(running.dex.counts.exchangeRequests).toBe(1)
})

test('users with the same sub at two issuers have each their own pace', async () => {
  await using running = await startBrokerWithUsers(
    {},
    { dex: { connectors: [{ type: 'mockCallback', id: 'staff' }] } },
  )
  const jwtOf = (iss: string) =>
    running.idp.signJwt({ iss, sub: 'alice', exp: running.clock.wall() / 1000 + 600, jti: Math.random() })
  for (let index = 0; index < 10; index++) await running.exchange(jwtOf('https://a.example.com'))
  expect(await failureOf(running.exchange(jwtOf('https://a.example.com')))).toMatchObject({
    code: 'overloaded',
  })
  await expect(running.exchange(jwtOf('https://b.example.com'))).resolves.toBeDefined()
})

test('a refused JWT costs one request in five seconds, and a good one of the same user passes', async () => {
  await using running = await startBrokerWithUsers()
  const bad = running.jwtOf('alice', { email: '' })
  const unusable = running.idp.signJwt({ ...claimsOf(bad), name: undefined })
  for (let index = 0; index < 20; index++) {
    expect(await failureOf(running.exchange(unusable))).toMatchObject({ code: 'forbidden' })
  }
  expect(running.dex.counts.exchangeRequests).toBe(1)
  await running.exchange(running.jwtOf('alice'))
  running.clock.advance(5_000)
  await failureOf(running.exchange(unusable))
  expect(running.dex.counts.exchangeRequests).toBe(3)
})

test('the exchanges of all users leave half of the slots to machines', async () => {
  await using running = await startBrokerWithUsers({ maxConnections: 8, requestTimeoutMs: 2_000 })
  const { dex } = running
  dex.setFault('token', { kind: 'hang' })
  const leaving = new AbortController()
  const users = names(20).map(name =>
    running.broker
      .exchange({ subjectToken: running.jwtOf(name), connectorId: 'staff', signal: leaving.signal })
      .catch(() => {}),
  )
  await until(() => dex.counts.exchangeRequests === 4)
  await caughtUp(dex)
  expect(dex.counts.exchangeRequests).toBe(4)
  dex.clearFaults()
  await running.broker.getToken()
  await running.broker.getToken({ scope: 'openid' })
  leaving.abort()
  await Promise.all(users)
})

test("exchanges that fail open neither the circuit of the client's own tokens nor the one of another connector", async () => {
  await using running = await startBrokerWithUsers()
  const { dex, broker } = running
  dex.setFault('token', { kind: 'html', status: 500, forClient: () => true })
  for (const name of names(6)) await failureOf(running.exchange(running.jwtOf(name)))
  const open = await failureOf(running.exchange(running.jwtOf('late')))
  expect(open).toMatchObject({
    code: 'overloaded',
    message: 'the token endpoint is failing; the circuit is open',
  })
  dex.clearFaults()
  await expect(broker.getToken()).resolves.toBeDefined()
  await expect(running.exchange(running.jwtOf('late'), { connectorId: 'partners' })).resolves.toBeDefined()
  expect(running.log.lines.filter(({ message }) => message.includes('circuit opened'))).toMatchObject([
    { message: 'token requests of one client fail; circuit opened' },
  ])
})

test('failures at two connectors open the circuit of exchanges, and machines go on', async () => {
  await using running = await startBrokerWithUsers()
  const { dex, broker } = running
  dex.setFault('token', { kind: 'html', status: 500 })
  for (const name of names(6)) {
    await failureOf(running.exchange(running.jwtOf(name), { connectorId: 'staff' }))
    await failureOf(running.exchange(running.jwtOf(name), { connectorId: 'partners' }))
  }
  dex.clearFaults()
  await expect(broker.getToken()).resolves.toBeDefined()
  expect(
    running.log.lines.filter(({ message }) => message === 'token endpoint is failing; circuit opened'),
  ).toMatchObject([{ fields: { clients: 'exchange' } }])
})
