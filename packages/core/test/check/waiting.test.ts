import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { waitingTimeMs } from '../../src/check/waiting-time.ts'
import { orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const timeoutHeader = 'x-envoy-expected-rq-timeout-ms'

describe('how long a check waits', () => {
  test.each([
    ['200', 180],
    ['100', 80],
    ['75', 55],
    ['70', 50],
    ['20', 50],
    ['1', 50],
    ['500', 450],
    ['1000', 900],
    ['1001', 901],
    ['3000', 2_900],
    ['5100', 5_000],
    ['999999999', 5_000],
    ['0', 5_000],
    ['000', 5_000],
    ['', 5_000],
    ['-1', 5_000],
    ['+200', 5_000],
    ['200.5', 5_000],
    ['2e2', 5_000],
    ['0x10', 5_000],
    ['200ms', 5_000],
    [' 200', 5_000],
    ['200, 300', 5_000],
    ['9'.repeat(400), 5_000],
    ['NaN', 5_000],
    ['٢٠٠', 5_000],
  ])('for Envoy’s %j it is %i ms', (header, waitMs) => {
    expect(waitingTimeMs(header, 5_000)).toBe(waitMs)
  })

  test('is always between 50 ms and the bound, and leaves Envoy 20 to 100 ms where there is room', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999 }),
        fc.integer({ min: 50, max: 60_000 }),
        (envoyMs, maxMs) => {
          const waitMs = waitingTimeMs(String(envoyMs), maxMs)
          expect(waitMs).toBeGreaterThanOrEqual(50)
          expect(waitMs).toBeLessThanOrEqual(maxMs)
          if (waitMs > 50) expect(envoyMs - waitMs).toBeGreaterThanOrEqual(20)
          if (waitMs < maxMs && waitMs > 50) expect(envoyMs - waitMs).toBeLessThanOrEqual(100)
        },
      ),
    )
  })

  test('is never longer than requestTimeoutMs, even below 50 ms', () => {
    expect(waitingTimeMs('200', 30)).toBe(30)
    expect(waitingTimeMs('', 1)).toBe(1)
  })
})

describe('a Dex that is slower than Envoy waits', () => {
  test('does not starve the client for ever: a later check finds the token', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 150 })
    const check = () => running.broker.check({ headers: [timeoutHeader, '80'] })
    const first = await check()
    expect(first).toMatchObject({ outcome: 'error', status: 503, headers: { 'retry-after': '1' } })
    await until(() => running.broker.peekToken() !== undefined)
    expect(await check()).toMatchObject({ outcome: 'allow' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('a deadline given twice, or absurdly, is ignored rather than obeyed', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 70 })
    const headers = [timeoutHeader, '1', timeoutHeader, '1']
    expect(await running.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
  })

  test('waiting for keys and waiting for the token have one deadline between them', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { jwksUri: dex.jwksUri },
      clock: { wall: Date.now, monotonic: () => performance.now() },
    }))
    const jwt = running.dex.signJwt({ exp: Date.now() / 1000 + 600 })
    running.dex.setFault('keys', { kind: 'slow', delayMs: 300 })
    running.dex.setFault('token', { kind: 'slow', delayMs: 400 })
    const startedAt = performance.now()
    const verdict = await running.broker.check({ headers: ['authorization', jwt, timeoutHeader, '500'] })
    expect(verdict).toMatchObject({ outcome: 'error', code: 'token_endpoint_unavailable' })
    // One deadline is 450 ms; two in a row would be 700 and succeed.
    expect(performance.now() - startedAt).toBeLessThan(650)
  })
})

describe('a caller who hangs up', () => {
  test('rejects the check with its own reason, unwrapped', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'hang' })
    const caller = new AbortController()
    const reason = new Error('the client is gone')
    const checking = running.broker.check({ headers: [], signal: caller.signal })
    await until(() => running.dex.counts.tokenRequests === 1)
    caller.abort(reason)
    await expect(checking).rejects.toBe(reason)
    expect(running.log.lines).toEqual([])
  })

  test.each([null, 0, ''])('may give %j as the reason', async reason => {
    await using running = await startBrokerWithDex({ client: orders })
    const signal = AbortSignal.abort(reason)
    await expect(running.broker.check({ headers: [], signal })).rejects.toBe(reason)
  })

  test('during the wait for keys rejects likewise', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { jwksUri: dex.jwksUri },
    }))
    running.dex.setFault('keys', { kind: 'hang' })
    const caller = new AbortController()
    const jwt = running.dex.signJwt({ exp: running.clock.wall() / 1000 + 600 })
    const checking = running.broker.check({ headers: ['authorization', jwt], signal: caller.signal })
    await until(() => running.dex.counts.keysRequests === 1)
    caller.abort('gone')
    await expect(checking).rejects.toBe('gone')
  })

  test('is not even asked for a signal when the token is at hand', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await running.broker.getToken()
    const request = {
      headers: [],
      get signal(): AbortSignal {
        throw new Error('the signal was read')
      },
    }
    expect(await running.broker.check(request)).toMatchObject({ outcome: 'allow' })
  })
})
