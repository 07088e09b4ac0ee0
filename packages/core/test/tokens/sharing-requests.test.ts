import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/shared/errors.ts'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const unhandled: unknown[] = []
const keep = (reason: unknown) => unhandled.push(reason)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', keep)
})

afterEach(async () => {
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', keep)
  expect(unhandled).toEqual([])
})

describe('callers who want the same token at the same time', () => {
  test.each([1_000, 10_000])('%i of them make one token request', async callers => {
    await using running = await startBrokerWithDex({ client: orders })
    const tokens = await Promise.all(Array.from({ length: callers }, () => running.broker.getToken()))
    expect(new Set(tokens).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('share it between getToken and check', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await Promise.all([
      running.broker.getToken(),
      running.broker.check({ headers: [] }),
      running.broker.getToken(),
    ])
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('never share between different scopes', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const [one, other, none] = await Promise.all([
      running.broker.getToken({ scope: 'groups' }),
      running.broker.getToken({ scope: 'profile' }),
      running.broker.getToken(),
    ])
    expect(new Set([one.accessToken, other.accessToken, none.accessToken]).size).toBe(3)
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('all get the same failure, and the next one asks again', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'html', times: 1 })
    const failures = await Promise.all(Array.from({ length: 50 }, () => failureOf(running.broker.getToken())))
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['invalid_token_response']))
    expect(running.dex.counts.tokenRequests).toBe(1)
    await expect(running.broker.getToken()).resolves.toBeDefined()
  })
})

describe('a caller who leaves', () => {
  test('gets its own reason, unwrapped, and disturbs nobody, even when it was the first', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 50 })
    const reason = { my: 'reason' }
    const first = new AbortController()
    const leaving = running.broker.getToken({ signal: first.signal })
    const others = Promise.all(Array.from({ length: 5 }, () => running.broker.getToken()))
    await until(() => running.dex.counts.tokenRequests === 1)
    first.abort(reason)
    await expect(leaving).rejects.toBe(reason)
    expect(new Set(await others).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('leaves no listener behind on a signal that lives long', async () => {
    await using running = await startBrokerWithDex({ client: orders, cacheMaxEntries: 0 })
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 8 }, () => running.broker.getToken({ signal, timeoutMs: 5_000 })))
    running.dex.setFault('token', { kind: 'html' })
    await failureOf(running.broker.getToken({ signal, timeoutMs: 5_000 }))
    running.dex.setFault('token', { kind: 'hang' })
    await failureOf(running.broker.getToken({ signal, timeoutMs: 1 }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('one who had left before the call gets its reason, and a cached token all the same', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const signal = AbortSignal.abort('gone')
    await expect(running.broker.getToken({ signal })).rejects.toBe('gone')
    await running.broker.getToken()
    await expect(running.broker.getToken({ signal })).resolves.toBeDefined()
  })

  test('callers who all give up before a slow Dex answers find the token the next time', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 60 })
    const failures = await Promise.all(
      Array.from({ length: 20 }, () => failureOf(running.broker.getToken({ timeoutMs: 10 }))),
    )
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', retryAfterMs: 1000 })
    }
    await until(() => running.broker.peekToken() !== undefined)
    await running.broker.getToken({ timeoutMs: 10 })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('when all have left, a request that fails ends quietly', async () => {
    await using running = await startBrokerWithDex({ client: orders, requestTimeoutMs: 40 })
    running.dex.setFault('token', { kind: 'hang' })
    await failureOf(running.broker.getToken({ timeoutMs: 1 }))
    await until(() => running.log.lines.length === 1)
  })

  test.each([Number.POSITIVE_INFINITY, 2 ** 31, 1e300])(
    'timeoutMs %d is a long wait, not none',
    async timeoutMs => {
      await using running = await startBrokerWithDex({ client: orders })
      running.dex.setFault('token', { kind: 'slow', delayMs: 30 })
      await expect(running.broker.getToken({ timeoutMs })).resolves.toBeDefined()
    },
  )
})

describe('bounds', () => {
  test('50,000 callers may wait for one token; one more is overloaded', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'slow', delayMs: 400 })
    const waiting = Array.from({ length: 50_000 }, () => running.broker.getToken())
    const failure = await failureOf(running.broker.getToken())
    expect(failure).toMatchObject({ code: 'overloaded', status: 503, retryAfterMs: 1000 })
    expect(new Set(await Promise.all(waiting)).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('waiters who left make room for others', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'hang' })
    await Promise.allSettled(Array.from({ length: 50_000 }, () => running.broker.getToken({ timeoutMs: 1 })))
    const failure = await failureOf(running.broker.getToken({ timeoutMs: 5 }))
    expect(failure.code).toBe('token_endpoint_unavailable')
  })

  test('256 different tokens may be requested at a time; one more is overloaded, and a check says 503', async () => {
    await using running = await startBrokerWithDex({ client: { clientId: 'orders' } })
    running.dex.setFault('token', { kind: 'hang' })
    const waiting = Array.from({ length: 256 }, (_, index) =>
      failureOf(running.broker.getToken({ clientSecret: `secret-${index}` })),
    )
    expect(await failureOf(running.broker.getToken({ clientSecret: 'one more' }))).toMatchObject({
      code: 'overloaded',
      retryAfterMs: 1000,
    })
    const verdict = await running.broker.check({ headers: ['x-client-secret', 'one more'] })
    expect(verdict).toMatchObject({ outcome: 'error', status: 503, headers: { 'retry-after': '1' } })
    // One of the 256 can still be joined.
    const joined = await failureOf(running.broker.getToken({ clientSecret: 'secret-0', timeoutMs: 1 }))
    expect(joined.code).toBe('token_endpoint_unavailable')
    await running.broker.close()
    await Promise.all(waiting)
  })
})

describe('close', () => {
  test('ends every wait promptly with a BrokerError, and asks Dex nothing any more', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'hang' })
    const waiting = Array.from({ length: 10 }, () => failureOf(running.broker.getToken()))
    await until(() => running.dex.counts.tokenRequests === 1)
    await running.broker.close()
    for (const failure of await Promise.all(waiting)) {
      expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', message: 'the broker is closed' })
    }
    expect((await failureOf(running.broker.getToken())).message).toBe('the broker is closed')
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('may come twice, and in the middle of a body', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', {
      kind: 'answer',
      headers: { 'content-length': '500' },
      body: '{"access_token":',
    })
    const waiting = failureOf(running.broker.getToken())
    await until(() => running.dex.counts.tokenRequests === 1)
    await running.broker.close()
    await running.broker.close()
    expect(BrokerError.is(await waiting)).toBe(true)
  })
})
