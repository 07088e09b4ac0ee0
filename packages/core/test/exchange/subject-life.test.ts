import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tokenLife } from '../../src/tokens/cache/token-life.ts'
import { failureOf } from '../broker-with-dex.ts'
import { type BrokerWithUsers, gateOf, startBrokerWithUsers } from './broker-with-users.ts'

const minute = 60_000

/** Whether the broker still answers for a JWT from its cache, without a request. */
async function isServedFromCache(running: BrokerWithUsers, jwt: string): Promise<boolean> {
  const before = running.dex.counts.tokenRequests
  await running.exchange(jwt)
  return running.dex.counts.tokenRequests === before
}

describe('an exchanged token', () => {
  test('that lives longer than the subject token is served until its last moment, and not at it', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    const token = await running.exchange(jwt)
    expect(token.expiresAt).toBe(running.clock.wall() + 10 * minute)
    running.clock.advance(10 * minute - 1)
    expect(await isServedFromCache(running, jwt)).toBe(true)
    expect(token.stale).toBe(false)
    running.clock.advance(1)
    expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'invalid_token' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('ends when the wall clock reaches the end of the subject token, or the monotonic one does', async () => {
    await using running = await startBrokerWithUsers()
    const jwt = running.jwtOf('alice')
    const token = await running.exchange(jwt)
    running.clock.jumpWall(10 * minute)
    expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'invalid_token' })
    // Set back by somebody: the time that has passed counts.
    running.clock.jumpWall(-20 * minute)
    running.clock.advance(10 * minute)
    expect(token.stale).toBe(true)
    expect(await isServedFromCache(running, jwt)).toBe(false)
  })

  test('ends with the subject token also when the clock of Dex is an hour behind', async () => {
    await using running = await startBrokerWithUsers(
      {},
      {
        dex: {
          now: () => Date.parse('2029-12-31T23:00:00Z'),
          connectors: [{ type: 'mockCallback', id: 'staff' }],
        },
      },
    )
    const token = await running.exchange(running.jwtOf('alice'))
    expect(token.expiresAt).toBe(running.clock.wall() + 10 * minute)
  })

  test('is not refreshed ahead', async () => {
    await using running = await startBrokerWithUsers({}, { dex: { idTokensMs: 5 * minute } })
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt)
    running.clock.advance(4.4 * minute)
    expect(await isServedFromCache(running, jwt)).toBe(true)
    // Nothing happens in the background either.
    await running.broker.getToken()
    expect(running.dex.counts.exchangeRequests).toBe(1)
  })

  test('that lives shorter than the subject token is replaced by a new exchange', async () => {
    await using running = await startBrokerWithUsers({}, { dex: { idTokensMs: 5 * minute } })
    const jwt = running.jwtOf('alice')
    const first = await running.exchange(jwt)
    running.clock.advance(4.6 * minute)
    const second = await running.exchange(jwt)
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(running.dex.counts.exchangeRequests).toBe(2)
  })

  test('is served inside its margin while Dex is unavailable, and not after the subject token', async () => {
    // The token of Dex ends 20 s after the subject token, so that its margin begins 10 s before that.
    await using running = await startBrokerWithUsers({}, { dex: { idTokensMs: 10 * minute + 20_000 } })
    const jwt = running.jwtOf('alice')
    const token = await running.exchange(jwt)
    running.dex.setFault('token', { kind: 'html', status: 503 })
    running.clock.advance(10 * minute - 5_000)
    expect(await running.exchange(jwt)).toBe(token)
    expect(token.stale).toBe(true)
    expect(running.broker.exchangeStatistics.stale).toBe(1)
    running.clock.advance(5_000)
    expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'invalid_token' })
  })

  test('is dropped when Dex refuses the user at the next exchange', async () => {
    await using running = await startBrokerWithUsers({}, { dex: { idTokensMs: 5 * minute } })
    const jwt = running.jwtOf('alice')
    await running.exchange(jwt)
    running.clock.advance(4.6 * minute)
    running.dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"access_denied"}' })
    expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'forbidden' })
    expect(running.broker.exchangeStatistics.entries).toBe(0)
  })

  test('of a check ends with the JWT of the caller', async () => {
    await using running = await startBrokerWithUsers(idp => ({
      ...gateOf(idp),
      chooseClient: () => ({ exchange: { connectorId: 'staff', client: 'default' } }),
    }))
    const headers = ['authorization', `Bearer ${running.jwtOf('alice')}`]
    expect(await running.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
    running.clock.advance(10 * minute - 1)
    expect(await running.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
    running.clock.advance(1)
    expect(await running.broker.check({ headers })).toMatchObject({ code: 'invalid_token' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('is refused when the subject token ends while Dex works', async () => {
    await using running = await startBrokerWithUsers({
      transport: async (url, request) => {
        const answer = await fetch(url, request)
        running.clock.advance(10 * minute)
        return answer as never
      },
    })
    expect(await failureOf(running.exchange(running.jwtOf('alice')))).toMatchObject({ code: 'invalid_token' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })
})

test('no life of an exchanged token reaches beyond its subject token, on either clock', () => {
  const ms = fc.integer({ min: 1, max: 1e9 })
  fc.assert(
    fc.property(
      ms,
      fc.option(ms, { nil: undefined }),
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.record({ safetyMarginMs: fc.nat(1e6), maxAgeMs: fc.nat(1e6) }),
      (subjectMs, expiresInSeconds, skewMs, limits) => {
        const wall = 1.9e12
        const life = tokenLife(
          { wall, monotonic: 0 },
          { expiresInSeconds, answeredAt: wall + skewMs, subjectExpiresAt: wall + subjectMs },
          limits,
        )
        expect(life.expiresAt).toBeLessThanOrEqual(wall + subjectMs)
        for (const end of [life.livesUntil, life.usableUntil, life.staleUntil]) {
          expect(end).toBeLessThanOrEqual(subjectMs)
        }
      },
    ),
  )
})
