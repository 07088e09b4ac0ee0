import { describe, expect, test } from 'vitest'
import { BrokerError } from '../src/shared/errors.ts'
import { countFailedLookups, Outage } from '../src/shared/outage.ts'
import {
  type BrokerWithDex,
  billing,
  failureOf,
  orders,
  startBrokerWithDex,
  until,
} from './broker-with-dex.ts'
import { ManualClock } from './manual-clock.ts'

function recoveries({ log }: BrokerWithDex) {
  return log.lines.filter(({ fields }) => 'failedForMs' in fields)
}

function jwt({ dex, clock }: BrokerWithDex): string {
  return dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 3_600 })
}

describe('the end of an outage of the token endpoint', () => {
  test('tells, when the circuit closes, how long it failed and what it cost', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex, clock } = running
    await broker.getToken({ scope: 'openid' })
    dex.setFault('token', { kind: 'reset' })
    // Three attempts, then two that open the circuit.
    await failureOf(broker.getToken())
    clock.advance(400.4)
    await Promise.all(Array.from({ length: 10 }, () => failureOf(broker.getToken())))
    expect((await failureOf(broker.getToken({ scope: 'groups' }))).code).toBe('overloaded')
    dex.clearFaults()
    clock.advance(1_000)
    await broker.getToken()
    const { tokenRequests } = dex.counts
    expect(recoveries(running)).toEqual([
      {
        level: 'info',
        message: 'token requests of one client succeed again; circuit closed',
        fields: {
          clientId: 'orders',
          failedForMs: 1_400,
          // All requests but the first and the last.
          failedAttempts: tokenRequests - 2,
          failedLookups: 12,
        },
      },
    ])
  })

  test('is told once for all clients that share the circuit', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'html', status: 500 })
    const [first, second] = [{ ...orders }, { ...billing }]
    for (let index = 0; index < 3; index++) await failureOf(broker.getToken(first))
    for (let index = 0; index < 4; index++) await failureOf(broker.getToken(second))
    dex.clearFaults()
    clock.advance(2_500)
    await broker.getToken(first)
    await broker.getToken(second)
    const lines = recoveries(running)
    expect(lines).toMatchObject([
      {
        message: 'token endpoint answers again; circuit closed',
        fields: { clients: 'unknown', failedForMs: 2_500, failedAttempts: 5, failedLookups: 7 },
      },
    ])
  })

  test('is told when no circuit opened', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'html', status: 500, times: 2 })
    await failureOf(broker.getToken())
    clock.advance(700)
    await failureOf(broker.getToken())
    clock.advance(1_000)
    await broker.getToken()
    expect(recoveries(running)).toEqual([
      {
        level: 'info',
        message: 'token endpoint answers again',
        fields: { clients: 'accepted', failedForMs: 1_700, failedAttempts: 2, failedLookups: 2, count: 1 },
      },
    ])
  })

  test('is not told by the success of another client', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex } = running
    dex.setFault('token', { kind: 'html', status: 500, times: 1 })
    await failureOf(broker.getToken())
    await broker.getToken({ ...billing })
    await broker.getToken({ ...billing, scope: 'groups' })
    expect(recoveries(running)).toEqual([])
  })

  test('does not count a lookup that got a living token', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex, clock } = running
    const token = await broker.getToken()
    dex.setFault('token', { kind: 'html', status: 500, times: 1 })
    clock.advance(3_600_000 - 20_000)
    expect(await broker.getToken()).toBe(token)
    await until(() => running.log.lines.some(({ level }) => level === 'error'))
    clock.advance(10_000)
    expect(await broker.getToken()).not.toBe(token)
    expect(recoveries(running)).toMatchObject([
      { fields: { failedForMs: 10_000, failedAttempts: 1, failedLookups: 0 } },
    ])
  })

  test('counts lookups that timed out before the request did', async () => {
    await using running = await startBrokerWithDex({ client: orders, requestTimeoutMs: 100 })
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'hang', times: 1 })
    const patient = failureOf(broker.getToken())
    await failureOf(broker.getToken({ timeoutMs: 1 }))
    await failureOf(broker.getToken({ timeoutMs: 1 }))
    await patient
    clock.advance(1_000)
    await broker.getToken()
    expect(recoveries(running)).toMatchObject([{ fields: { failedForMs: 1_000, failedLookups: 3 } }])
  })
})

test('the end of an outage of discovery tells how long it failed and what it cost', async () => {
  await using running = await startBrokerWithDex(({ issuer }) => ({
    tokenEndpoint: undefined,
    issuer,
    client: orders,
  }))
  const { broker, dex, clock, log } = running
  dex.setFault('discovery', { kind: 'html', status: 503 })
  await Promise.all([failureOf(broker.getToken()), failureOf(broker.getToken())])
  await failureOf(broker.getToken())
  clock.advance(1_000)
  await failureOf(broker.getToken())
  dex.clearFaults()
  clock.advance(2_000)
  await broker.getToken()
  await until(() => log.lines.some(({ message }) => message.startsWith('issuer discovered')))
  expect(recoveries(running)).toEqual([
    {
      level: 'info',
      message: 'issuer discovered after failures',
      fields: {
        issuer: dex.issuer,
        tokenEndpoint: dex.tokenEndpoint,
        jwksUri: dex.jwksUri,
        failedForMs: 3_000,
        failedAttempts: 2,
        failedLookups: 4,
      },
    },
  ])
})

test('the end of an outage of a key set tells how long it failed and what it cost', async () => {
  await using running = await startBrokerWithDex(dex => ({ gate: { jwksUri: dex.jwksUri } }))
  const { broker, dex, clock } = running
  dex.setFault('keys', { kind: 'html', status: 503 })
  const verify = () => broker.verify(jwt(running))
  await Promise.all([failureOf(verify()), failureOf(verify())])
  await failureOf(verify())
  clock.advance(1_000)
  await failureOf(verify())
  dex.clearFaults()
  clock.advance(2_000)
  await verify()
  expect(recoveries(running)).toEqual([
    {
      level: 'info',
      message: 'key set refreshed after failures',
      fields: { keys: 1, failedForMs: 3_000, failedAttempts: 2, failedLookups: 4 },
    },
  ])
  clock.advance(600_000)
  await verify()
  expect(running.log.lines.at(-1)).toMatchObject({ message: 'key set refreshed', fields: { keys: 1 } })
})

test('an outage of a key set costs nothing while the cached one is used', async () => {
  await using running = await startBrokerWithDex(dex => ({ gate: { jwksUri: dex.jwksUri } }))
  const { broker, dex, clock } = running
  await broker.verify(jwt(running))
  dex.setFault('keys', { kind: 'html', status: 503, times: 1 })
  clock.advance(600_000)
  await broker.verify(jwt(running))
  clock.advance(1_000)
  await broker.verify(jwt(running))
  expect(recoveries(running)).toMatchObject([
    { fields: { failedForMs: 1_000, failedAttempts: 1, failedLookups: 0 } },
  ])
})

describe('Outage', () => {
  test('counts nothing before it begins and after it ends', () => {
    const clock = new ManualClock()
    const outage = new Outage(clock)
    const failure = new BrokerError('overloaded', 'x')
    outage.claim(failure)
    expect(countFailedLookups(failure)).toBe(true)
    expect(outage.end()).toBeUndefined()
    outage.attemptFailed(failure)
    clock.advance(1_234.5)
    expect(countFailedLookups(failure, 2)).toBe(true)
    expect(outage.end()).toEqual({ failedForMs: 1_235, failedAttempts: 1, failedLookups: 2 })
    countFailedLookups(failure)
    outage.attemptFailed(failure)
    expect(outage.end()).toEqual({ failedForMs: 0, failedAttempts: 1, failedLookups: 0 })
  })

  test('does not know errors that nothing claimed', () => {
    expect(countFailedLookups(new BrokerError('overloaded', 'x'))).toBe(false)
  })
})
