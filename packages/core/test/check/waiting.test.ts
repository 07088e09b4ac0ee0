import { describe, expect, test } from 'vitest'
import { CheckWait } from '../../src/check/check-wait.ts'
import { orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'

describe('how long a check waits', () => {
  const waitFor = (timeoutMs: number | undefined, maxMs: number, clock = new ManualClock()) =>
    new CheckWait({ timeoutMs }, maxMs, clock)

  test.each([
    [undefined, 5_000, 5_000],
    [180, 5_000, 180],
    [5_000, 5_000, 5_000],
    [999_999_999, 5_000, 5_000],
    [200, 30, 30],
    [undefined, 1, 1],
  ])('a caller that waits for %j ms with requestTimeoutMs %i gets %i ms', (timeoutMs, maxMs, waitMs) => {
    expect(waitFor(timeoutMs, maxMs).timeoutMs).toBe(waitMs)
  })

  test('counts from the first wait, and a second wait gets what is left, at least a millisecond', () => {
    const clock = new ManualClock()
    const wait = waitFor(450, 5_000, clock)
    clock.advance(300)
    expect(wait.timeoutMs).toBe(450)
    clock.advance(300)
    expect(wait.timeoutMs).toBe(150)
    clock.advance(300)
    expect(wait.timeoutMs).toBe(1)
  })
})

describe('a Dex that is slower than the caller waits', () => {
  test('does not starve the client for ever: a later check finds the token', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 150 })
    const check = () => running.broker.check({ headers: [], timeoutMs: 60 })
    const first = await check()
    expect(first).toMatchObject({ outcome: 'error', status: 503, headers: { 'retry-after': '1' } })
    await until(() => running.broker.peekToken() !== undefined)
    expect(await check()).toMatchObject({ outcome: 'allow' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('waiting for keys and waiting for the token have one deadline between them', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { jwksUri: dex.jwksUri },
    }))
    const { broker, clock, dex } = running
    const headers = ['authorization', dex.signJwt({ exp: clock.wall() / 1000 + 600 })]
    dex.setFault('keys', {
      kind: 'rewrite',
      rewrite: answer => {
        clock.advance(4_000)
        return answer
      },
    })
    dex.setFault('token', { kind: 'slow', delayMs: 500 })
    // The keys took the whole timeout. With a second timeout, the wait for the token would succeed.
    const refused = await broker.check({ headers, timeoutMs: 4_000 })
    expect(refused).toMatchObject({ outcome: 'error', code: 'token_endpoint_unavailable' })
    expect(broker.peekToken()).toBeUndefined()
    await until(() => broker.peekToken() !== undefined)
    expect(await broker.check({ headers, timeoutMs: 4_000 })).toMatchObject({ outcome: 'allow' })
    expect(dex.counts).toMatchObject({ keysRequests: 1, tokenRequests: 1 })
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
