import { describe, expect, test } from 'vitest'
import { caughtUp, failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

// Dex says 3,599 seconds for a life of an hour; the safety margin is 30 seconds.
const usableMs = 3_569_000
const noJitter = { client: orders, random: () => 0 }

describe('a token that is asked for past 80 % of its usable life', () => {
  test('is served at once and replaced by one request in the background, however many ask', async () => {
    await using running = await startBrokerWithDex(noJitter)
    const first = await running.broker.getToken()
    running.clock.advance(usableMs * 0.8 - 1)
    expect(running.broker.tokenFor({})).toBe(first)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(1)
    running.clock.advance(1)
    running.dex.setFault('token', { kind: 'slow', delayMs: 50 })
    for (let index = 0; index < 100; index++) expect(running.broker.tokenFor({})).toBe(first)
    await until(() => running.broker.peekToken() !== first)
    expect(running.dex.counts.tokenRequests).toBe(2)
    expect(running.broker.cacheStatistics.misses).toBe(1)
  })

  test('nobody waits across ten expiries under steady traffic, and each life costs one request', async () => {
    await using running = await startBrokerWithDex(noJitter)
    await running.broker.getToken()
    for (let life = 1; life <= 10; life++) {
      const before = running.broker.peekToken()
      for (let step = 0; step < 8; step++) {
        running.clock.advance(usableMs / 10)
        expect(running.broker.tokenFor({})).not.toBeInstanceOf(Promise)
      }
      await until(() => running.broker.peekToken() !== before)
      expect(running.dex.counts.tokenRequests).toBe(1 + life)
    }
    expect(running.broker.cacheStatistics.misses).toBe(1)
  })

  test('is replaced up to a tenth of its usable life earlier, at random, and never later', async () => {
    for (const [random, ratio] of [
      [0, 0.8],
      [0.5, 0.75],
      [0.999_999, 0.7],
    ] as const) {
      await using running = await startBrokerWithDex({ client: orders, random: () => random })
      await running.broker.getToken()
      running.clock.advance(usableMs * ratio - 10)
      await running.broker.tokenFor({})
      await caughtUp(running.dex)
      expect(running.dex.counts.tokenRequests).toBe(1)
      running.clock.advance(20)
      await running.broker.tokenFor({})
      await until(() => running.dex.counts.tokenRequests === 2)
    }
  })

  test('is left alone when nobody asks', async () => {
    await using running = await startBrokerWithDex(noJitter)
    await running.broker.getToken()
    running.clock.advance(usableMs * 0.95)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(1)
    await running.broker.tokenFor({})
    await until(() => running.dex.counts.tokenRequests === 2)
  })

  test('is not replaced before its end with refreshAheadRatio 1', async () => {
    await using running = await startBrokerWithDex({ ...noJitter, refreshAheadRatio: 1 })
    const first = await running.broker.getToken()
    running.clock.advance(usableMs - 1)
    expect(running.broker.tokenFor({})).toBe(first)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(1)
    running.clock.advance(1)
    expect(await running.broker.getToken()).not.toBe(first)
  })

  test('whose refresh fails is served on, and the refresh is tried again after 1, 2, 4, 8, 15 and 15 seconds', async () => {
    await using running = await startBrokerWithDex({ client: orders, random: () => 0.5 })
    const first = await running.broker.getToken()
    running.clock.advance(usableMs * 0.75)
    running.dex.setFault('token', { kind: 'answer', status: 500, body: '' })
    for (const [attempt, pauseMs] of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000].entries()) {
      expect(running.broker.tokenFor({})).toBe(first)
      await until(() => running.dex.counts.tokenRequests === attempt + 2)
      await until(() => running.log.lines.filter(({ level }) => level === 'error').length === attempt + 1)
      running.clock.advance(pauseMs - 1)
      expect(running.broker.tokenFor({})).toBe(first)
      await caughtUp(running.dex)
      expect(running.dex.counts.tokenRequests).toBe(attempt + 2)
      running.clock.advance(1)
    }
  })

  test('is dropped when Dex rejects the refresh of a caller’s own client', async () => {
    await using running = await startBrokerWithDex({ ...noJitter, client: undefined })
    await running.broker.getToken(orders)
    running.clock.advance(usableMs * 0.85)
    running.dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
    expect(running.broker.tokenFor(orders)).not.toBeInstanceOf(Promise)
    await until(() => running.broker.peekToken(orders) === undefined)
    expect((await failureOf(running.broker.getToken(orders))).code).toBe('token_request_rejected')
  })

  test('of the configured client serves on when Dex rejects its refresh, to its end, and the log says what to mend', async () => {
    await using running = await startBrokerWithDex({ ...noJitter, client: orders })
    const token = await running.broker.getToken()
    running.clock.advance(usableMs * 0.85)
    running.dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
    expect(running.broker.tokenFor({})).toBe(token)
    await until(() => running.log.lines.some(({ fields }) => fields['code'] === 'client_misconfigured'))
    expect(running.log.lines.at(-1)).toMatchObject({ level: 'error' })
    expect(running.log.lines.at(-1)?.fields['hint']).toContain('client')
    expect(await running.broker.getToken()).toBe(token)
    running.clock.advance(usableMs * 0.15)
    expect(await running.broker.getToken()).toBe(token)
    running.clock.advance(30_000)
    expect(await failureOf(running.broker.getToken())).toMatchObject({
      code: 'client_misconfigured',
      status: 502,
    })
  })
})

test('maxTokenAgeMs ends the use of a token, whatever its expiry, also while Dex cannot answer', async () => {
  await using running = await startBrokerWithDex({ ...noJitter, refreshAheadRatio: 1, maxTokenAgeMs: 60_000 })
  const first = await running.broker.getToken()
  running.clock.advance(59_999)
  expect(running.broker.tokenFor({})).toBe(first)
  running.clock.advance(1)
  expect(running.broker.peekToken()).toBeUndefined()
  running.dex.setFault('token', { kind: 'html', status: 500 })
  expect((await failureOf(running.broker.getToken())).status).toBe(502)
})
