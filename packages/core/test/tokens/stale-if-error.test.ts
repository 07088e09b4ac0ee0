import { describe, expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const lifeMs = 3_599_000
const usableMs = 3_569_000
const options = { client: orders, random: () => 0.5 }

/** A broker whose token has just entered the safety margin. */
async function startInsideTheMargin() {
  const running = await startBrokerWithDex(options)
  const token = await running.broker.getToken()
  running.clock.advance(usableMs)
  return { running, token }
}

describe('inside the safety margin', () => {
  test('a new token is waited for while Dex answers', async () => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    const next = await running.broker.getToken()
    expect(next).not.toBe(token)
    expect(next.stale).toBe(false)
    expect(running.broker.cacheStatistics.stale).toBe(0)
  })

  test.each([
    ['a reset', { kind: 'reset' as const }],
    ['500', { kind: 'html' as const, status: 500 }],
    ['503', { kind: 'html' as const, status: 503 }],
    ['429', { kind: 'html' as const, status: 429 }],
  ])('the old one is handed out, marked stale, after one attempt that failed (%s)', async (_, fault) => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', fault)
    const stale = await running.broker.getToken()
    expect(stale).toBe(token)
    expect(stale.stale).toBe(true)
    expect(running.dex.counts.tokenRequests).toBe(2)
    expect(running.broker.cacheStatistics.stale).toBe(1)
  })

  test('who comes after a failure waits for nothing, until the next try is due', async () => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'answer', status: 500, body: '' })
    await running.broker.getToken()
    await until(() => running.log.lines.some(({ level }) => level === 'error'))
    for (let index = 0; index < 100; index++) expect(await running.broker.getToken()).toBe(token)
    expect(running.dex.counts.tokenRequests).toBe(2)
    running.clock.advance(1_000)
    await running.broker.getToken()
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('a Dex that says nothing costs a caller its own deadline, and then the old one is handed out', async () => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'hang' })
    expect(await running.broker.getToken({ timeoutMs: 30 })).toBe(token)
  })

  test('the old one is never handed out in its last second, nor later', async () => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'html', status: 500 })
    running.clock.advance(lifeMs - usableMs - 1_001)
    expect(await running.broker.getToken()).toBe(token)
    running.clock.advance(1)
    expect((await failureOf(running.broker.getToken())).status).toBeGreaterThanOrEqual(502)
  })

  test('a wall clock that jumps past the expiry ends it, too', async () => {
    const { running: made } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'html', status: 500 })
    running.clock.jumpWall(29_500)
    await failureOf(running.broker.getToken())
  })

  test('a rejection of a caller’s own client is a rejection: the old one is dropped', async () => {
    await using running = await startBrokerWithDex({ random: () => 0.5 })
    await running.broker.getToken(orders)
    running.clock.advance(usableMs)
    running.dex.setFault('token', {
      kind: 'answer',
      status: 401,
      body: '{"error":"invalid_client"}',
      times: 1,
    })
    expect((await failureOf(running.broker.getToken(orders))).code).toBe('token_request_rejected')
    expect(running.broker.cacheStatistics).toMatchObject({ stale: 0, entries: 0 })
  })

  test('a fault of the configuration is told and not hidden behind an old token', async () => {
    const { running: made } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'answer', status: 404, body: '404 page not found\n' })
    expect((await failureOf(running.broker.getToken())).code).toBe('invalid_token_response')
  })

  test.each([0, 5_000])('nor later, with rejections remembered for %i ms', async negativeCacheTtlMs => {
    await using running = await startBrokerWithDex({ ...options, negativeCacheTtlMs })
    await running.broker.getToken()
    running.clock.advance(usableMs)
    running.dex.setFault('token', { kind: 'answer', status: 404, body: '404 page not found\n' })
    for (let second = 0; second < 28; second++) {
      expect((await failureOf(running.broker.getToken())).code).toBe('invalid_token_response')
      // The request that was shared is over only then.
      await new Promise(resolve => setImmediate(resolve))
      running.clock.advance(1_000)
    }
  })

  test('a check passes with the old one, and a new one follows when Dex is back', async () => {
    const { running: made, token } = await startInsideTheMargin()
    await using running = made
    running.dex.setFault('token', { kind: 'reset' })
    expect(await running.broker.check({ headers: [] })).toMatchObject({
      outcome: 'allow',
      set: token.headers,
    })
    running.dex.clearFaults()
    await until(() => running.broker.peekToken() !== undefined)
    expect((await running.broker.getToken()).stale).toBe(false)
  })
})
