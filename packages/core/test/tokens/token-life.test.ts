import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUsable, tokenLife } from '../../src/tokens/cache/token-life.ts'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'

const hourMs = 3_600_000
const marginMs = 30_000
const limits = { safetyMarginMs: marginMs, maxAgeMs: 0 }

describe('the life of a token', () => {
  test('ends the safety margin before its expiry', () => {
    const clock = new ManualClock()
    const life = tokenLife(
      { wall: clock.wall(), monotonic: clock.monotonic() },
      { expiresInSeconds: 3600 },
      limits,
    )
    clock.advance(hourMs - marginMs - 1)
    expect(isUsable(life, clock)).toBe(true)
    clock.advance(1)
    expect(isUsable(life, clock)).toBe(false)
  })

  test.each([
    [30, 24_000],
    [10, 8_000],
    [29.5, 23_600],
    [30.001, 1],
    [31, 1_000],
    [60, 30_000],
    [undefined, 60_000],
    [0, 60_000],
    [-7, 60_000],
  ])('of %s seconds is usable for %i ms', (seconds, usableMs) => {
    const life = tokenLife({ wall: 1e12, monotonic: 0 }, { expiresInSeconds: seconds }, limits)
    expect(life.usableUntil).toBeCloseTo(usableMs, 3)
  })

  test('is positive and never longer than a year, whatever Dex says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.constant(Number.POSITIVE_INFINITY)), seconds => {
        fc.pre(!Number.isNaN(seconds))
        const life = tokenLife({ wall: 0, monotonic: 0 }, { expiresInSeconds: seconds }, limits)
        expect(life.usableUntil).toBeGreaterThanOrEqual(0)
        expect(life.usableUntil).toBeLessThanOrEqual(life.expiresAt)
        expect(Number.isFinite(new Date(life.expiresAt).getTime())).toBe(true)
        expect(life.expiresAt).toBeLessThanOrEqual(366 * 24 * hourMs)
      }),
    )
  })
})

describe('a cached token and the clocks', () => {
  test('is used until the safety margin, and then asked for again', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const first = await running.broker.getToken()
    // Dex says 3,599 seconds for a life of an hour.
    running.clock.advance(3_599_000 - marginMs - 1)
    expect(running.broker.peekToken()).toBe(first)
    running.clock.advance(1)
    expect(running.broker.peekToken()).toBeUndefined()
    expect(await running.broker.getToken()).not.toBe(first)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('is not used past its expiry on the wall clock, as after a machine was suspended', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await running.broker.getToken()
    running.clock.jumpWall(3_598_999)
    expect(running.broker.peekToken()).toBeDefined()
    running.clock.jumpWall(1)
    expect(running.broker.peekToken()).toBeUndefined()
  })

  test('does not live longer because the wall clock was set back', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await running.broker.getToken()
    running.clock.jumpWall(-24 * hourMs)
    expect(running.broker.peekToken()).toBeDefined()
    running.clock.advance(3_599_000 - marginMs)
    expect(running.broker.peekToken()).toBeUndefined()
  })

  test('a mapped expires_in is what is left, and never more because the wall clock was set back', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      tokenHeaders: { expires_in: 'x-expires-in' },
    })
    const token = await running.broker.getToken()
    const left = () => token.headers['x-expires-in']
    expect(left()).toBe('3599')
    running.clock.advance(99_500)
    expect(left()).toBe('3499')
    running.clock.jumpWall(-hourMs)
    expect(left()).toBe('3499')
    running.clock.advance(4 * hourMs)
    expect(left()).toBe('0')
    expect(Object.isFrozen(token.headers)).toBe(true)
    expect(token.fields).toEqual({ expires_in: '3599' })
  })

  test('a mapped expires_in that the response does not have sets no header', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      tokenHeaders: { expires_in: 'x-expires-in' },
    })
    running.dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => {
        const { expires_in: _, ...rest } = JSON.parse(String(answer.body))
        return { ...answer, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(rest) }
      },
    })
    expect(Object.keys((await running.broker.getToken()).headers)).toEqual(['authorization'])
  })

  test('its life is counted from before the request was sent, because Dex may be slow', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => {
        running.clock.advance(20_000)
        return answer
      },
    })
    const askedAt = running.clock.wall()
    const token = await running.broker.getToken()
    expect(token.expiresAt).toBe(askedAt + 3_599_000)
    running.clock.advance(3_599_000 - marginMs - 20_000)
    expect(running.broker.peekToken()).toBeUndefined()
  })

  const inSeconds = (seconds: number, clock: ManualClock) => Math.floor(clock.wall() / 1000) + seconds
  const jwtUntil = (exp: number) =>
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.`

  test.each([{ expires_in: 3600 }, {}, { expires_in: 0 }, { expires_in: '1e999' }])(
    'is never used past its own exp, whatever the response says (%j)',
    async members => {
      await using running = await startBrokerWithDex({ client: orders, expirySafetyMarginMs: 0 })
      const access_token = jwtUntil(inSeconds(8, running.clock))
      running.dex.setFault('token', { kind: 'answer', body: JSON.stringify({ access_token, ...members }) })
      const token = await running.broker.getToken()
      expect(token.expiresAt).toBe(running.clock.wall() + 8_000)
      running.clock.advance(7_999)
      expect(await running.broker.getToken()).toBe(token)
      // The endpoint repeats it: it has ended, and goes to nobody.
      running.clock.advance(1)
      expect((await failureOf(running.broker.getToken())).code).toBe('token_endpoint_unavailable')
    },
  )

  test.each([-7_200_000, 7_200_000])(
    'lives as long as Dex says where the broker’s clock is %i ms off',
    async offMs => {
      await using running = await startBrokerWithDex({ client: orders }, { idTokensMs: 300_000 })
      running.dex.setFault('token', {
        kind: 'rewrite',
        rewrite: answer => {
          const { headers } = answer
          const date = new Date(running.clock.wall() - offMs).toUTCString()
          const access_token = jwtUntil(inSeconds(300 - offMs / 1000, running.clock))
          const body = JSON.stringify({ access_token, token_type: 'bearer', expires_in: 299 })
          return { ...answer, headers: { ...headers, 'Content-Length': `${body.length}`, Date: date }, body }
        },
      })
      const token = await running.broker.getToken()
      expect(token.expiresAt).toBe(running.clock.wall() + 299_000)
      expect(await running.broker.getToken()).toBe(token)
      expect(running.dex.counts.tokenRequests).toBe(1)
    },
  )

  test('one that is dead when it arrives, and whose successor is not, costs nobody anything', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const dead = JSON.stringify({ access_token: jwtUntil(inSeconds(-1, running.clock)), expires_in: 60 })
    running.dex.setFault('token', { kind: 'answer', body: dead, times: 1 })
    await expect(running.broker.getToken()).resolves.toMatchObject({ stale: false })
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('one that is dead when it arrives, because the process stood still, is handed to nobody and not cached', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => {
        running.clock.advance(2 * hourMs)
        return answer
      },
      times: 2,
    })
    expect(await failureOf(running.broker.getToken())).toMatchObject({
      code: 'token_endpoint_unavailable',
      transient: true,
    })
    expect(running.dex.counts.tokenRequests).toBe(2)
    expect(running.broker.cacheStatistics.entries).toBe(0)
    await expect(running.broker.getToken()).resolves.toMatchObject({ stale: false })
  })
})
