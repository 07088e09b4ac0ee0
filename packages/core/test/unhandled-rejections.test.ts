import { afterEach, beforeEach, expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex, until } from './broker-with-dex.ts'

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(() => {
  process.off('unhandledRejection', note)
})

test('a caller beyond the limit of waiting callers, while keys are in a pause after a failure, ends no process', async () => {
  await using running = await startBrokerWithDex(({ jwksUri }) => ({
    maxWaitingCallers: 1,
    gate: { jwksUri },
  }))
  const { broker, dex, clock } = running
  const jwt = dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 600 })
  dex.setFault('keys', { kind: 'html' })
  expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
  dex.setFault('token', { kind: 'hang' })
  const waiting = failureOf(broker.getToken(orders))
  await until(() => dex.counts.tokenRequests === 1)
  expect((await failureOf(broker.verify(jwt))).code).toBe('overloaded')
  await new Promise(resolve => setImmediate(resolve))
  expect(unhandled).toEqual([])
  await broker.close()
  await waiting
})

test('a caller that has left already, while keys are in a pause after a failure, ends no process', async () => {
  await using running = await startBrokerWithDex(({ jwksUri }) => ({ gate: { jwksUri } }))
  const { broker, dex, clock } = running
  const jwt = dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 600 })
  dex.setFault('keys', { kind: 'html' })
  expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
  await expect(broker.verify(jwt, { signal: AbortSignal.abort('left') })).rejects.toBe('left')
  await new Promise(resolve => setImmediate(resolve))
  expect(unhandled).toEqual([])
})
