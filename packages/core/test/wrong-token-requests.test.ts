import { describe, expect, test } from 'vitest'
import { caughtUp, orders, startBrokerWithDex } from './broker-with-dex.ts'

const wrong: readonly [string, unknown, string][] = [
  ['a promise of one', Promise.resolve({ scope: 'groups' }), 'await it first'],
  // biome-ignore lint/suspicious/noThenProperty: that is what is to be refused
  ['a thenable', { then() {} }, 'await it first'],
  ['null', null, 'must be an object'],
  ['a string', 'orders', 'must be an object'],
  ['a function', () => ({}), 'must be an object'],
  ['an array', [], 'must be an object'],
  ['an unknown name', { clientid: 'orders' }, 'clientid is not an option'],
  ['an inherited unknown name', Object.create({ client_id: 'orders' }), 'client_id is not an option'],
  ['a client id of another type', { clientId: 5 }, 'clientId must be a string'],
  ['a secret of another type', { clientSecret: Promise.resolve('s') }, 'clientSecret must be a string'],
  ['a scope of another type', { scope: ['groups'] }, 'scope must be a string'],
  ['audiences of another type', { audiences: 'billing' }, 'audiences must be an array'],
]

describe.each(wrong)('a token request that is %s', (_, request, message) => {
  test('is refused before anybody is asked, and never taken for one for the configured client', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex } = running
    await expect(broker.getToken(request as never)).rejects.toThrow(TypeError)
    await expect(broker.getToken(request as never)).rejects.toThrow(message)
    expect(() => broker.tokenFor(request as never)).toThrow(TypeError)
    expect(() => broker.peekToken(request as never)).toThrow(message)
    await caughtUp(dex)
    expect(dex.counts.tokenRequests).toBe(0)
  })
})

test('a token request may have undefined parts, and may be an object of a class', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  class Order {
    readonly scope = 'groups'
    readonly clientId = undefined
    readonly clientSecret = undefined
    readonly audiences = undefined
    readonly signal = undefined
    readonly timeoutMs = undefined
  }
  const token = await running.broker.getToken(new Order())
  expect(running.broker.peekToken({ scope: 'groups' })).toBe(token)
})
