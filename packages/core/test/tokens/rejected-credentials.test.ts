import { describe, expect, test } from 'vitest'
import { billing, failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const wrong = { ...orders, clientSecret: 'wrong' }

describe('rejected credentials', () => {
  test('twenty checks with a wrong secret are one call to Dex', async () => {
    await using running = await startBrokerWithDex()
    for (let check = 0; check < 20; check++) {
      const verdict = await running.broker.check({
        headers: ['x-client-id', 'orders', 'x-client-secret', 'wrong'],
      })
      expect(verdict).toMatchObject({ outcome: 'deny', status: 401, code: 'token_request_rejected' })
    }
    expect(running.dex.counts.tokenRequests).toBe(1)
    expect(running.log.lines.filter(({ level }) => level !== 'debug')).toHaveLength(1)
  })

  test('a corrected secret passes at once', async () => {
    await using running = await startBrokerWithDex()
    await failureOf(running.broker.getToken(wrong))
    await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  })

  test('a wrong secret is wrong for every scope: many scopes are one call', async () => {
    await using running = await startBrokerWithDex()
    for (const scope of ['openid', 'groups', 'email', 'openid groups']) {
      await failureOf(running.broker.getToken({ ...wrong, scope }))
    }
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('a 401 with an error that nobody knows is about the client, and so for every scope', async () => {
    await using running = await startBrokerWithDex()
    running.dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"something_new"}' })
    for (const scope of ['openid', 'groups']) {
      const failure = await failureOf(running.broker.getToken({ ...orders, scope }))
      expect(failure.code).toBe('token_request_rejected')
    }
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('a wrong scope is wrong for itself alone', async () => {
    await using running = await startBrokerWithDex()
    for (let again = 0; again < 3; again++) {
      const failure = await failureOf(running.broker.getToken({ ...orders, scope: 'no-such-scope' }))
      expect(failure.oauthError).toBe('invalid_scope')
    }
    await running.broker.getToken({ ...orders, scope: 'groups' })
    await running.broker.getToken(orders)
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('are forgotten after negativeCacheTtlMs', async () => {
    await using running = await startBrokerWithDex({ negativeCacheTtlMs: 5_000 })
    await failureOf(running.broker.getToken(wrong))
    running.clock.advance(4_999)
    await failureOf(running.broker.getToken(wrong))
    expect(running.dex.counts.tokenRequests).toBe(1)
    running.clock.advance(1)
    await failureOf(running.broker.getToken(wrong))
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('are forgotten by the monotonic clock: setting the wall clock keeps nobody out', async () => {
    await using running = await startBrokerWithDex()
    await failureOf(running.broker.getToken(wrong))
    running.clock.jumpWall(-3_600_000)
    running.clock.advance(5_000)
    await failureOf(running.broker.getToken(wrong))
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('negativeCacheTtlMs 0 remembers nothing', async () => {
    await using running = await startBrokerWithDex({ negativeCacheTtlMs: 0 })
    await failureOf(running.broker.getToken(wrong))
    await failureOf(running.broker.getToken(wrong))
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('do not push good tokens out, and are bounded themselves', async () => {
    await using running = await startBrokerWithDex({ cacheMaxEntries: 2 })
    await running.broker.getToken(orders)
    await running.broker.getToken(billing)
    const guess = (number: number) =>
      failureOf(running.broker.getToken({ ...orders, clientSecret: `${number}` }))
    for (let number = 0; number < 1_025; number += 25) {
      await Promise.all(Array.from({ length: 25 }, (_, index) => guess(number + index)))
    }
    expect(running.broker.peekToken(orders)).toBeDefined()
    expect(running.broker.peekToken(billing)).toBeDefined()
    const before = running.dex.counts.tokenRequests
    await guess(1_024)
    expect(running.dex.counts.tokenRequests).toBe(before)
    // The one that was rejected longest ago is the one that had to go.
    await guess(0)
    expect(running.dex.counts.tokenRequests).toBe(before + 1)
  })

  test.each([
    ['a fault of Dex', { kind: 'html' as const }, 1],
    ['a reset', { kind: 'reset' as const }, 3],
  ])('%s is no rejection: nothing is remembered', async (_, fault, times) => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { ...fault, times })
    await failureOf(running.broker.getToken())
    await expect(running.broker.getToken()).resolves.toBeDefined()
  })

  test('a Dex that is set up wrongly is not asked again for each caller either, nor is the log flooded', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.clientCredentialsEnabled = false
    for (let index = 0; index < 100; index++) {
      expect((await failureOf(running.broker.getToken())).code).toBe('invalid_token_response')
    }
    expect(running.dex.counts.tokenRequests).toBe(1)
    expect(running.log.lines.length).toBe(1)
    running.dex.clientCredentialsEnabled = true
    running.clock.advance(5_000)
    await expect(running.broker.getToken()).resolves.toBeDefined()
  })
})
