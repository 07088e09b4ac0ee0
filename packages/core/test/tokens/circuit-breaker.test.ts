import { describe, expect, test } from 'vitest'
import { CircuitBreaker } from '../../src/tokens/dex/circuit-breaker.ts'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { cpuMsOf } from '../cpu-time.ts'
import { ManualClock } from '../manual-clock.ts'

function fail(breaker: CircuitBreaker, times: number): void {
  for (let index = 0; index < times; index++) {
    expect(breaker.allows()).toBe(true)
    breaker.failed()
  }
}

describe('the circuit breaker', () => {
  test('opens after five failures in a row, and lets one probe through after a second', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    fail(breaker, 5)
    expect(breaker.allows()).toBe(false)
    expect(breaker.retryAfterMs).toBe(1_000)
    clock.advance(999)
    expect(breaker.allows()).toBe(false)
    clock.advance(1)
    expect(breaker.allows()).toBe(true)
    expect(breaker.allows()).toBe(false)
  })

  test('a success in between starts the row again', () => {
    const breaker = new CircuitBreaker(new ManualClock())
    fail(breaker, 4)
    breaker.succeeded()
    fail(breaker, 4)
    expect(breaker.allows()).toBe(true)
  })

  test('a probe that fails doubles the pause, up to four seconds', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    fail(breaker, 5)
    for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
      expect(breaker.retryAfterMs).toBe(pauseMs)
      clock.advance(pauseMs)
      expect(breaker.allows()).toBe(true)
      expect(breaker.failed()).toBe(false)
    }
  })

  test('a probe that succeeds closes it, and the pause starts from a second again', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    fail(breaker, 5)
    clock.advance(1_000)
    breaker.allows()
    breaker.failed()
    clock.advance(2_000)
    breaker.allows()
    expect(breaker.succeeded()).toBe(true)
    fail(breaker, 5)
    expect(breaker.retryAfterMs).toBe(1_000)
  })

  test('opens when half of at least twenty attempts within ten seconds fail', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    for (let index = 0; index < 9; index++) {
      breaker.succeeded()
      breaker.failed()
      clock.advance(100)
    }
    breaker.succeeded()
    expect(breaker.allows()).toBe(true)
    expect(breaker.failed()).toBe(true)
    expect(breaker.allows()).toBe(false)
  })

  test('forgets attempts that are older than ten seconds', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    for (let index = 0; index < 60; index++) {
      breaker.succeeded()
      breaker.failed()
      clock.advance(1_100)
    }
    expect(breaker.allows()).toBe(true)
  })

  test('a failure of an attempt from before it opened is no outcome of the probe, and prolongs nothing', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    const { period } = breaker
    fail(breaker, 5)
    clock.advance(900)
    expect(breaker.failed(undefined, period)).toBe(false)
    expect(breaker.retryAfterMs).toBe(100)
    clock.advance(100)
    expect(breaker.allows()).toBe(true)
    for (let late = 0; late < 250; late++) breaker.failed(undefined, period)
    expect(breaker.allows()).toBe(false)
    expect(breaker.succeeded()).toBe(true)
    expect(breaker.allows()).toBe(true)
  })

  test('failures of attempts from before it closed do not open it again', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    const { period } = breaker
    fail(breaker, 5)
    clock.advance(1_000)
    breaker.allows()
    breaker.succeeded()
    for (let late = 0; late < 250; late++) expect(breaker.failed(undefined, period)).toBe(false)
    expect(breaker.allows()).toBe(true)
    fail(breaker, 4)
    expect(breaker.allows()).toBe(true)
  })

  test('costs the same for each attempt, however many there are', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    const attempts = 100_000
    const cpuMs = cpuMsOf(() => {
      for (let index = 0; index < attempts; index++) {
        clock.advance(0.2)
        breaker.succeeded()
      }
    })
    expect(cpuMs / attempts).toBeLessThan(0.01)
  })

  test('opens at once for as long as Dex asks, but not for more than a minute', () => {
    const clock = new ManualClock()
    const breaker = new CircuitBreaker(clock)
    breaker.failed(7_000)
    expect(breaker.retryAfterMs).toBe(7_000)
    const other = new CircuitBreaker(clock)
    other.failed(3_600_000)
    expect(other.retryAfterMs).toBe(60_000)
  })
})

describe('a Dex that cannot answer', () => {
  test('is asked no more than five times by a thousand callers of different tokens, who get 503 and a time', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'html', status: 500 })
    for (let index = 0; index < 1_000; index++) {
      const failure = await failureOf(running.broker.getToken({ clientSecret: `secret-${index}` }))
      if (index < 5) expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502 })
      else expect(failure).toMatchObject({ code: 'overloaded', status: 503, retryAfterMs: 1_000 })
    }
    expect(running.dex.counts.tokenRequests).toBe(5)
    expect(running.log.lines.filter(({ level }) => level !== 'debug').length).toBeLessThanOrEqual(6)
  })

  test('is asked again by one caller after a pause, and all pass when it answers', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'html', status: 500 })
    for (let index = 0; index < 6; index++) await failureOf(running.broker.getToken())
    running.dex.clearFaults()
    expect((await failureOf(running.broker.getToken())).code).toBe('overloaded')
    running.clock.advance(1_000)
    await running.broker.getToken()
    expect(running.dex.counts.tokenRequests).toBe(6)
    expect(running.log.lines.some(({ message }) => message.includes('circuit closed'))).toBe(true)
  })

  test('and comes back is not kept out by requests that it never answered', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      requestTimeoutMs: 2_000,
      maxConnections: 512,
    })
    running.dex.setFault('token', { kind: 'hang' })
    const late = Array.from({ length: 100 }, (_, index) =>
      failureOf(running.broker.getToken({ scope: `scope-${index}` })),
    )
    await until(() => running.dex.counts.tokenRequests === 100)
    running.dex.setFault('token', { kind: 'answer', status: 429, times: 1, headers: { 'retry-after': '1' } })
    await failureOf(running.broker.getToken())
    running.clock.advance(1_000)
    running.dex.clearFaults()
    await running.broker.getToken()
    await Promise.all(late)
    await expect(running.broker.getToken({ scope: 'openid' })).resolves.toBeDefined()
  })

  test('that judges, however it judges, keeps the circuit closed', async () => {
    await using running = await startBrokerWithDex()
    for (let index = 0; index < 50; index++) {
      const failure = await failureOf(running.broker.getToken({ ...orders, clientSecret: `wrong-${index}` }))
      expect(failure.code).toBe('token_request_rejected')
    }
    await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  })

  test('and asks for a pause gets it', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'answer', status: 429, headers: { 'retry-after': '7' }, times: 1 })
    expect(await failureOf(running.broker.getToken())).toMatchObject({ status: 503, retryAfterMs: 7_000 })
    running.clock.advance(6_999)
    expect(await failureOf(running.broker.getToken())).toMatchObject({ code: 'overloaded' })
    expect(running.dex.counts.tokenRequests).toBe(1)
    running.clock.advance(1)
    await expect(running.broker.getToken()).resolves.toBeDefined()
  })
})

test('who comes while a probe is out waits for what it tells, and passes when it succeeds', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  running.dex.setFault('token', { kind: 'html', status: 500 })
  for (let index = 0; index < 5; index++) await failureOf(running.broker.getToken())
  running.dex.setFault('token', { kind: 'slow', delayMs: 30 })
  running.clock.advance(1_000)
  const scopes = ['openid', 'email', 'profile', 'groups', 'openid email', 'openid profile', 'openid groups']
  const tokens = await Promise.all(scopes.map(scope => running.broker.getToken({ scope })))
  expect(new Set(tokens).size).toBe(scopes.length)
  expect(running.dex.counts.tokenRequests).toBe(5 + scopes.length)
})

test('who comes while a probe is out is told to come back when it fails, and Dex got one request', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  running.dex.setFault('token', { kind: 'html', status: 500 })
  for (let index = 0; index < 5; index++) await failureOf(running.broker.getToken())
  running.clock.advance(1_000)
  const failures = await Promise.all(
    ['openid', 'email', 'groups'].map(scope => failureOf(running.broker.getToken({ scope }))),
  )
  expect(failures.map(({ code }) => code).sort()).toEqual([
    'invalid_token_response',
    'overloaded',
    'overloaded',
  ])
  expect(running.dex.counts.tokenRequests).toBe(6)
})
