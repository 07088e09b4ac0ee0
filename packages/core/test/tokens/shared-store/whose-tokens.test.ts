import { MemoryTokenStore } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { TokenBroker } from '../../../src/token-broker.ts'
import { orders, until } from '../../broker-with-dex.ts'
import { portal, startBrokerWithUsers } from '../../exchange/broker-with-users.ts'
import { keyA, keyB, type Replica, startReplicas } from './replicas.ts'

const keptBy = (replica: Replica) => until(() => replica.storeCalls.includes('put kept'))

describe('a shared token', () => {
  test('is only for brokers with the same token headers', async () => {
    await using running = await startReplicas()
    const mapped = { tokenHeaders: { expires_in: 'x-expires-in', access_token: 'x-token' } }
    const [plain, withHeaders, sameHeaders] = [running.add(), running.add(mapped), running.add(mapped)]
    await plain.broker.getToken()
    await keptBy(plain)
    const { accessToken } = await withHeaders.broker.getToken()
    await keptBy(withHeaders)
    running.advance(10_000)
    const copy = await sameHeaders.broker.getToken()
    expect(copy.headers['x-token']).toBe(accessToken)
    // The remaining life as well.
    expect(copy.headers).toEqual(withHeaders.broker.peekToken()?.headers)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('of the configured client is not for a caller with its id and another secret, nor with the same one', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add(), running.add()]
    const { accessToken } = await first.broker.getToken()
    await keptBy(first)
    expect((await second.broker.getToken({ ...orders })).accessToken).not.toBe(accessToken)
    expect((await second.broker.getToken()).accessToken).toBe(accessToken)
  })

  test('outlives the rotation of the configured secret', async () => {
    await using running = await startReplicas()
    const first = running.add()
    const { accessToken } = await first.broker.getToken()
    await keptBy(first)
    const rotated = running.add({ client: { ...orders, clientSecret: 'rotated' } })
    expect((await rotated.broker.getToken()).accessToken).toBe(accessToken)
  })

  test('is not readable with another key', async () => {
    await using running = await startReplicas()
    const first = running.add()
    const { accessToken } = await first.broker.getToken()
    await keptBy(first)
    const store = running.memory.handle()
    const other = running.add({ sharedStore: { store, keys: [keyB] } })
    expect((await other.broker.getToken()).accessToken).not.toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })
})

describe('keys that are rotated', () => {
  test.each([
    ['the new key first', [keyB, keyA], [keyA]],
    ['the old key first', [keyA, keyB], [keyA]],
    ['the new key first, where the writer has it last', [keyB, keyA], [keyA, keyB]],
  ])('leave a token for a reader with %s', async (_, readersKeys, writersKeys) => {
    await using running = await startReplicas()
    const writer = running.add({ sharedStore: { store: running.memory.handle(), keys: writersKeys } })
    const reader = running.add({ sharedStore: { store: running.memory.handle(), keys: readersKeys } })
    const { accessToken } = await writer.broker.getToken()
    await keptBy(writer)
    expect((await reader.broker.getToken()).accessToken).toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('let each replica drop the token for the other, whichever key is first', async () => {
    await using running = await startReplicas()
    const replicas = [
      [keyA, keyB],
      [keyB, keyA],
    ].map(keys => running.add({ sharedStore: { store: running.memory.handle(), keys } })) as [
      Replica,
      Replica,
    ]
    for (const [one, other] of [replicas, [...replicas].reverse() as [Replica, Replica]]) {
      const token = await one.broker.getToken()
      await until(() => one.storeCalls.includes('put kept') || other.storeCalls.includes('put kept'))
      const copy = await other.broker.getToken()
      expect(copy.accessToken).toBe(token.accessToken)
      expect(other.broker.invalidate(copy)).toBe(true)
      await until(() => one.broker.peekToken() === undefined)
      expect((await one.broker.getToken()).accessToken).not.toBe(token.accessToken)
      running.advance(11_000)
    }
  })
})

describe('a token of a user', () => {
  async function startSharing() {
    const running = await startBrokerWithUsers({}, { dex: { idTokensMs: 86_400_000 } })
    const store = new MemoryTokenStore(running.clock)
    const start = () =>
      new TokenBroker({
        tokenEndpoint: running.dex.tokenEndpoint,
        client: portal,
        clock: running.clock,
        sharedStore: { store: store.handle(), keys: [keyA] },
      })
    const brokers = [start(), start()] as const
    return {
      ...running,
      brokers,
      async [Symbol.asyncDispose]() {
        await Promise.all(brokers.map(broker => broker.close()))
        await running[Symbol.asyncDispose]()
      },
    }
  }

  test('is exchanged once for all brokers, and ends with the JWT of the user on each of them', async () => {
    await using running = await startSharing()
    const [first, second] = running.brokers
    const subjectToken = running.jwtOf('alice')
    const request = { subjectToken, connectorId: 'staff' }
    const token = await first.exchange(request)
    running.clock.advance(300_000)
    const copy = await second.exchange(request)
    expect(copy.accessToken).toBe(token.accessToken)
    expect(copy.expiresAt).toBe(token.expiresAt)
    expect(running.dex.counts.exchangeRequests).toBe(1)
    running.clock.advance(300_000)
    await expect(second.exchange(request)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('is not for another JWT of the same user', async () => {
    await using running = await startSharing()
    const [first, second] = running.brokers
    const token = await first.exchange({ subjectToken: running.jwtOf('alice'), connectorId: 'staff' })
    running.clock.advance(1_000)
    const other = await second.exchange({ subjectToken: running.jwtOf('alice'), connectorId: 'staff' })
    expect(other.accessToken).not.toBe(token.accessToken)
    expect(running.dex.counts.exchangeRequests).toBe(2)
  })
})
