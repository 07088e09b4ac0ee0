import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { billing, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

// The tokens of the look-alike live an hour less a second.
const lifeMs = 3_599_000
const options = { client: orders, random: () => 0.5 }

describe('a request with minRemainingMs', () => {
  test('gets the cached token while that has the life', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, clock, dex } = running
    const token = await broker.getToken()
    clock.advance(lifeMs / 2)
    expect(await broker.getToken({ minRemainingMs: lifeMs / 2 })).toBe(token)
    expect(broker.tokenFor({ minRemainingMs: 0 })).toBe(token)
    expect(dex.counts.tokenRequests).toBe(1)
    expect(broker.cacheStatistics).toMatchObject({ hits: 2, misses: 1 })
  })

  test('gets a new token otherwise, in one request for all callers, and the new token is for everyone', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, clock, dex } = running
    const old = await broker.getToken()
    clock.advance(lifeMs / 2)
    const long = { minRemainingMs: lifeMs / 2 + 1 }
    const tokens = await Promise.all(Array.from({ length: 20 }, () => broker.getToken(long)))
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).not.toBe(old)
    expect(await broker.getToken()).toBe(tokens[0])
    expect(dex.counts.tokenRequests).toBe(2)
    expect(broker.cacheStatistics).toMatchObject({ hits: 1, misses: 21, entries: 1 })
  })

  test('leaves callers without it their cached token while the new one is requested', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, clock, dex } = running
    const old = await broker.getToken()
    clock.advance(lifeMs / 2)
    dex.setFault('token', { kind: 'hang' })
    const controller = new AbortController()
    const waiting = broker.getToken({ minRemainingMs: lifeMs, signal: controller.signal })
    expect(broker.tokenFor({})).toBe(old)
    controller.abort(new Error('the upload was cancelled'))
    await expect(waiting).rejects.toThrow('the upload was cancelled')
  })

  test.each([
    ['a reset', { kind: 'reset' as const }],
    ['500', { kind: 'html' as const, status: 500 }],
    ['429', { kind: 'html' as const, status: 429 }],
    ['invalid_scope', { kind: 'answer' as const, status: 400, body: '{"error":"invalid_scope"}' }],
    ['invalid_client', { kind: 'answer' as const, status: 401, body: '{"error":"invalid_client"}' }],
  ])('gets the cached token when Dex has no new one (%s), and Dex is asked once', async (_, fault) => {
    await using running = await startBrokerWithDex({ ...options, negativeCacheTtlMs: 0 })
    const { broker, clock, dex } = running
    const old = await broker.getToken()
    clock.advance(lifeMs / 2)
    dex.setFault('token', fault)
    expect(await broker.getToken({ minRemainingMs: lifeMs })).toBe(old)
    const { tokenRequests } = dex.counts
    for (let calls = 0; calls < 100; calls++) {
      expect(await broker.getToken({ minRemainingMs: lifeMs })).toBe(old)
    }
    // A retry of the same request can still be under way.
    expect(dex.counts.tokenRequests - tokenRequests).toBeLessThanOrEqual(2)
    expect(old.stale).toBe(false)
  })

  test('never fails, whatever Dex answers about the credentials of the caller', async () => {
    await using running = await startBrokerWithDex({ random: () => 0.5 })
    const { broker, clock, dex } = running
    const old = await broker.getToken(billing)
    clock.advance(lifeMs / 2)
    dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
    expect(await broker.getToken({ ...billing, minRemainingMs: lifeMs })).toBe(old)
  })

  test('gets the cached token when its own time is over', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, clock, dex } = running
    const old = await broker.getToken()
    clock.advance(lifeMs / 2)
    dex.setFault('token', { kind: 'hang' })
    expect(await broker.getToken({ minRemainingMs: lifeMs, timeoutMs: 20 })).toBe(old)
  })

  test('asks again when the pause after a failure is over', async () => {
    await using running = await startBrokerWithDex({ ...options, negativeCacheTtlMs: 0 })
    const { broker, clock, dex } = running
    const old = await broker.getToken()
    clock.advance(lifeMs / 2)
    dex.setFault('token', { kind: 'answer', status: 400, body: '{"error":"invalid_scope"}' })
    await broker.getToken({ minRemainingMs: lifeMs })
    await until(() => running.log.lines.some(({ level }) => level === 'error'))
    dex.clearFaults()
    clock.advance(1_000)
    expect(await broker.getToken({ minRemainingMs: lifeMs })).not.toBe(old)
  })

  test('is no part of the key', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, dex } = running
    const token = await broker.getToken({ minRemainingMs: 60_000 })
    expect(await broker.getToken()).toBe(token)
    expect(await broker.getToken({ minRemainingMs: 70_000 })).toBe(token)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('peeks only at a token with the life', async () => {
    await using running = await startBrokerWithDex(options)
    const { broker, clock } = running
    const token = await broker.getToken()
    clock.advance(lifeMs / 2)
    expect(broker.peekToken({ minRemainingMs: lifeMs / 2 })).toBe(token)
    expect(broker.peekToken({ minRemainingMs: lifeMs / 2 + 1 })).toBeUndefined()
  })

  test.each([-1, Number.NaN, '60' as never])('refuses %s', async minRemainingMs => {
    await using running = await startBrokerWithDex(options)
    await expect(running.broker.getToken({ minRemainingMs })).rejects.toThrow(
      /^minRemainingMs must be a number of milliseconds, 0 or more$/,
    )
  })
})

test('tokens shorter-lived than the minimum cost a request per tenth of their life, not one per call', async () => {
  await using running = await startBrokerWithDex(options)
  const { broker, clock, dex } = running
  const callEveryMs = lifeMs / 1_000
  for (let calls = 0; calls <= 1_000; calls++) {
    await broker.getToken({ minRemainingMs: 10 * lifeMs })
    clock.advance(callEveryMs)
  }
  expect(dex.counts.tokenRequests).toBeGreaterThan(5)
  expect(dex.counts.tokenRequests).toBeLessThanOrEqual(11)
})

test('a minimum of at most nine tenths of the life of new tokens is always met', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 0.3, noNaN: true }), { maxLength: 10 }),
      async (part, pauses) => {
        await using running = await startBrokerWithDex(options)
        const { broker, clock } = running
        const minRemainingMs = Math.floor(part * lifeMs)
        for (const pause of pauses) {
          const { expiresAt } = await broker.getToken({ minRemainingMs })
          expect(expiresAt - clock.wall()).toBeGreaterThanOrEqual(minRemainingMs)
          clock.advance(Math.floor(pause * lifeMs))
        }
      },
    ),
    { numRuns: 20 },
  )
})
