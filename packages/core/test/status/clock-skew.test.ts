import { startDevDex } from '@broker/dev-dex'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClockSkew } from '../../src/issuer/clock-skew.ts'
import { momentOf } from '../../src/shared/clock.ts'
import { hintText } from '../../src/shared/hint.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf, orders } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

/** 11:40 minutes, as somebody once found a clock. */
const offMs = 700_000

const differs = 'clock of this host differs from the issuer'
const agrees = 'clock of this host agrees with the issuer again'

/** A broker whose Dex has another clock. */
async function startApart(aheadMs: number) {
  const clock = new ManualClock()
  const log = new RecordingLogger()
  const apart = { aheadMs }
  const dex = await startDevDex({
    algorithm: 'ES256',
    clients: [{ id: 'orders', secret: 'orders-secret' }],
    now: () => clock.wall() - apart.aheadMs,
  })
  const broker = new TokenBroker({ issuer: dex.issuer, client: orders, gate: {}, clock, logger: log })
  return {
    broker,
    dex,
    clock,
    apart,
    lines: (message: string) => log.lines.filter(line => line.message === message),
    jwt: (offSeconds: number) => {
      const now = Math.floor((clock.wall() - apart.aheadMs) / 1000) + offSeconds
      return dex.signJwt({ iss: dex.issuer, sub: 'alice', nbf: now, exp: now + 300 })
    },
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
    },
  }
}

/** A measurement by itself. */
function skewOf(clock: ManualClock, log = new RecordingLogger()) {
  const skew = new ClockSkew(
    { clock, logger: log, describeHint: hintText },
    { issuer: 'own dex', option: 'issuer' },
  )
  return { skew, log }
}

function answer(headers: Readonly<Record<string, string>>) {
  return { headers: { get: (name: string) => headers[name] ?? null } }
}

describe('the clock skew of an issuer', () => {
  test('is unknown before the first answer', async () => {
    await using running = await startApart(offMs)
    expect(running.broker.status().issuers.map(({ clockSkew }) => clockSkew)).toEqual([undefined, undefined])
  })

  test.each([
    ['ahead of', offMs],
    ['behind', -offMs],
  ])('is measured by any answer, and warned of once: %s', async (words, aheadMs) => {
    await using running = await startApart(aheadMs)
    const { broker, clock, apart, lines } = running
    await broker.getToken()
    const { skewMs = 0, measuredAt } = broker.status().issuers[0]?.clockSkew ?? {}
    expect(measuredAt).toBe(clock.wall())
    expect(Math.abs(skewMs - aheadMs)).toBeLessThanOrEqual(1_000)
    expect(Math.abs(skewMs)).toBeLessThanOrEqual(offMs)
    await broker.getToken({ scope: 'openid' })
    const [line, ...others] = lines(differs)
    expect(others).toEqual([])
    expect(line).toMatchObject({
      level: 'warn',
      fields: {
        issuer: 'own dex',
        clockSkewSeconds: skewMs / 1000,
        hint: expect.stringMatching(`NTP.* (699|700) s ${words} the clock of Dex`),
      },
    })
    expect(lines(agrees)).toEqual([])
    apart.aheadMs = 0
    await broker.getToken({ scope: 'groups' })
    expect(lines(agrees)).toMatchObject([
      { level: 'info', fields: { issuer: 'own dex', clockSkewSeconds: 0 } },
    ])
    apart.aheadMs = aheadMs
    await broker.getToken({ scope: 'email' })
    expect(lines(differs)).toHaveLength(2)
  })

  test('is unknown after the wall clock jumped, until the next answer', async () => {
    await using running = await startApart(0)
    const { broker, clock, apart } = running
    await broker.getToken()
    expect(broker.status().issuers[0]?.clockSkew).toMatchObject({ skewMs: 0 })
    clock.jumpWall(offMs)
    apart.aheadMs = offMs
    expect(broker.status().issuers[0]?.clockSkew).toBeUndefined()
    await broker.getToken({ scope: 'openid' })
    expect(broker.status().issuers[0]?.clockSkew?.skewMs).toBeGreaterThan(offMs - 1_001)
  })

  test.each<[string, string, number, number]>([
    ['expired', 'ahead of', offMs, 0],
    ['not_yet_valid', 'behind', -offMs, 0],
  ])('is the hint of a JWT that it makes %s', async (reason, words, aheadMs, offSeconds) => {
    await using running = await startApart(aheadMs)
    await running.broker.getToken()
    await failureOf(running.broker.verify(running.jwt(offSeconds)))
    expect(running.lines('JWTs refused')).toMatchObject([
      {
        fields: {
          reason,
          clockSkewSeconds: expect.closeTo(aheadMs / 1000, -1),
          hint: expect.stringContaining(`s ${words} the clock of Dex`),
        },
      },
    ])
  })

  test('is not the hint of a JWT that is expired by both clocks', async () => {
    await using running = await startApart(offMs)
    await running.broker.getToken()
    await failureOf(running.broker.verify(running.jwt(-86_400)))
    expect(running.lines('JWTs refused')).toMatchObject([
      { fields: { reason: 'expired', hint: expect.stringContaining('the caller must renew its JWT') } },
    ])
  })

  test('is not measured by answers of caches, or without a readable Date', () => {
    const clock = new ManualClock()
    const { skew } = skewOf(clock)
    const date = new Date(clock.wall() - offMs).toUTCString()
    for (const headers of [{ date, age: '3' }, { date: 'yesterday' }, {}]) {
      skew.answered(momentOf(clock), answer(headers))
    }
    expect(skew.status).toBeUndefined()
  })

  test('is never more than the true difference, and less by a second and the network time at most', () => {
    fc.assert(
      fc.property(
        fc.record({
          phaseMs: fc.integer({ min: 0, max: 999 }),
          trueMs: fc.integer({ min: -1_000_000, max: 1_000_000 }),
          thereMs: fc.integer({ min: 0, max: 5_000 }),
          backMs: fc.integer({ min: 0, max: 5_000 }),
          jumpMs: fc.constantFrom(0, 0, -90_000, 90_000),
        }),
        ({ phaseMs, trueMs, thereMs, backMs, jumpMs }) => {
          const clock = new ManualClock()
          clock.advance(phaseMs)
          const { skew } = skewOf(clock)
          const sentAt = momentOf(clock)
          clock.advance(thereMs)
          const date = new Date(clock.wall() - trueMs).toUTCString()
          clock.jumpWall(jumpMs)
          clock.advance(backMs)
          skew.answered(sentAt, answer({ date }))
          const measured = skew.status?.skewMs ?? Number.NaN
          expect(Math.abs(measured)).toBeLessThanOrEqual(Math.abs(trueMs))
          expect(measured * trueMs).toBeGreaterThanOrEqual(0)
          expect(Math.abs(trueMs) - Math.abs(measured)).toBeLessThanOrEqual(1_000 + thereMs + backMs)
        },
      ),
    )
  })

  test('warns of a constant difference once at most, however the seconds fall', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -4_000, max: 4_000 }),
        fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 20, maxLength: 40 }),
        (trueMs, waits) => {
          const clock = new ManualClock()
          const { skew, log } = skewOf(clock)
          for (const waitMs of waits) {
            clock.advance(waitMs)
            const date = new Date(clock.wall() - trueMs).toUTCString()
            skew.answered(momentOf(clock), answer({ date }))
          }
          expect(log.lines.length).toBeLessThanOrEqual(1)
          if (Math.abs(trueMs) <= 2_000) expect(log.lines).toEqual([])
        },
      ),
    )
  })
})
