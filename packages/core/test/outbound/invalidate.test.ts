import { expect, test } from 'vitest'
import { InvalidationPace } from '../../src/tokens/invalidation-pace.ts'
import { orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'

test('invalidate drops the cached token, once, and the next call gets another one', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const token = await running.broker.getToken()
  expect(running.broker.invalidate(token)).toBe(true)
  expect(running.broker.invalidate(token)).toBe(false)
  expect(running.broker.peekToken()).toBeUndefined()
  const next = await running.broker.getToken()
  expect(next.accessToken).not.toBe(token.accessToken)
  expect(running.broker.cacheStatistics.entries).toBe(1)
})

test('a late refusal of an old token leaves its successor alone', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const old = await running.broker.getToken()
  running.broker.invalidate(old)
  const next = await running.broker.getToken()
  running.clock.advance(60_000)
  expect(running.broker.invalidate(old)).toBe(false)
  expect(running.broker.peekToken()).toBe(next)
})

test('one token of a key goes in 10 seconds; other keys have a pace of their own', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const drop = async (scope: string) => running.broker.invalidate(await running.broker.getToken({ scope }))
  expect([await drop('groups'), await drop('groups'), await drop('profile')]).toEqual([true, false, true])
  running.clock.advance(9_999)
  expect(await drop('groups')).toBe(false)
  running.clock.advance(1)
  expect(await drop('groups')).toBe(true)
})

test('the pace of 1,024 keys is remembered; one more pushes out the one that was used longest ago', () => {
  const pace = new InvalidationPace(new ManualClock())
  for (let index = 0; index < 1024; index++) expect(pace.allows(`key ${index}`)).toBe(true)
  expect(pace.allows('key 1')).toBe(false)
  expect(pace.allows('one more')).toBe(true)
  expect([pace.allows('key 1'), pace.allows('key 0')]).toEqual([false, true])
})

test('a token of another broker, of no cache or of nobody is not dropped', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  await using uncached = await startBrokerWithDex({ client: orders, cacheMaxEntries: 0 })
  const token = await running.broker.getToken()
  expect(uncached.broker.invalidate(token)).toBe(false)
  expect(uncached.broker.invalidate(await uncached.broker.getToken())).toBe(false)
  expect(running.broker.invalidate({} as never)).toBe(false)
  expect(running.broker.peekToken()).toBe(token)
})

test('the log says that a token was dropped, and not which one', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const token = await running.broker.getToken()
  running.broker.invalidate(token)
  expect(running.log.lines.at(-1)).toEqual({
    level: 'info',
    fields: {},
    message: 'token dropped: a backend refused it',
  })
})
