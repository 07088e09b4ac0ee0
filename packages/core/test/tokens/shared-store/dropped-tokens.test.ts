import { describe, expect, test } from 'vitest'
import { caughtUp, failureOf, orders, until } from '../../broker-with-dex.ts'
import { type Replica, type Replicas, startReplicas } from './replicas.ts'

const lifeMs = 3_600_000

/** Two replicas with the same cached token, and a third with nothing yet. */
async function sharing(running: Replicas, options: Parameters<Replicas['add']>[0] = {}) {
  const [first, second, third] = [running.add(options), running.add(options), running.add(options)]
  const token = await first.broker.getToken()
  await until(() => first.storeCalls.includes('put kept'))
  const copy = await second.broker.getToken()
  expect(copy.accessToken).toBe(token.accessToken)
  return { first, second, third, token, copy }
}

const cachedBy = ({ broker }: Replica) => broker.peekToken()?.accessToken

describe('a token that a backend refused on one replica', () => {
  test('is dropped by the others, and one request replaces it', async () => {
    await using running = await startReplicas()
    const { first, second, third, token } = await sharing(running)
    expect(first.broker.invalidate(token)).toBe(true)
    await until(() => cachedBy(second) === undefined)
    const tokens = await Promise.all([first, second, third].map(({ broker }) => broker.getToken()))
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1)
    expect(tokens[0]?.accessToken).not.toBe(token.accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
    expect(second.log.lines.map(({ message }) => message)).toContain(
      'tokens dropped: another replica dropped them',
    )
  })

  test('is dropped by the others also when a third has replaced it already', async () => {
    await using running = await startReplicas()
    const { first, second, third, token } = await sharing(running)
    await third.broker.getToken()
    running.advance(0.85 * (lifeMs - 30_000))
    await third.broker.getToken()
    await until(() => cachedBy(third) !== token.accessToken)
    await until(() => third.storeCalls.includes('put kept'))
    first.broker.invalidate(token)
    await until(() => cachedBy(second) === undefined)
    expect((await second.broker.getToken()).accessToken).toBe(cachedBy(third))
    expect((await first.broker.getToken()).accessToken).toBe(cachedBy(third))
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('is not taken back from a store that could not be told, and the others learn it when it can', async () => {
    await using running = await startReplicas()
    const { first, second, third, token } = await sharing(running)
    first.store.fault = 'fail'
    first.broker.invalidate(token)
    await until(() => first.storeCalls.includes('forget failed'))
    first.store.fault = undefined
    // The store still has the record. The pending forget goes first.
    const fresh = await first.broker.getToken()
    expect(fresh.accessToken).not.toBe(token.accessToken)
    await until(() => cachedBy(second) === undefined)
    expect((await third.broker.getToken()).accessToken).toBe(fresh.accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('is not taken from a store that still answers with it', async () => {
    await using running = await startReplicas()
    const first = running.add()
    const token = await first.broker.getToken()
    await until(() => first.storeCalls.includes('put kept'))
    first.store.forget = async () => {}
    first.broker.invalidate(token)
    expect((await first.broker.getToken()).accessToken).not.toBe(token.accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('is told again after a second while the store fails', async () => {
    await using running = await startReplicas()
    const { first, second, token } = await sharing(running)
    first.store.fault = 'fail'
    first.broker.invalidate(token)
    await until(() => first.storeCalls.includes('forget failed'))
    first.store.fault = undefined
    await until(() => cachedBy(second) === undefined)
  })

  test('is not served when the news arrives while its record is on the way', async () => {
    await using running = await startReplicas()
    const { first, third, token } = await sharing(running)
    const lease = third.store.lease.bind(third.store)
    let isFirst = true
    third.store.lease = async (...parameters) => {
      const answer = await lease(...parameters)
      if (isFirst) first.broker.invalidate(token)
      isFirst = false
      return answer
    }
    expect((await third.broker.getToken()).accessToken).not.toBe(token.accessToken)
  })
})

describe('a token whose signing key is gone', () => {
  test('is forgotten for all replicas, also for one that does not watch the keys', async () => {
    await using running = await startReplicas()
    const watching = running.add({ jwksUri: running.dex.jwksUri, jwksMaxAgeMs: 50 })
    const other = running.add()
    const { accessToken } = await watching.broker.getToken()
    await until(() => watching.storeCalls.includes('put kept'))
    await other.broker.getToken()
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart()
    await until(() => cachedBy(watching) === undefined && cachedBy(other) === undefined)
    const tokens = await Promise.all([watching, other].map(({ broker }) => broker.getToken()))
    expect(tokens[0]?.accessToken).toBe(tokens[1]?.accessToken)
    expect(tokens[0]?.accessToken).not.toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('is not taken from the store by a replica that knows it, and forgotten there', async () => {
    await using running = await startReplicas()
    const watching = running.add({ jwksUri: running.dex.jwksUri, jwksMaxAgeMs: 50 })
    const other = running.add()
    // Another token of the same key, so that there is something to watch.
    await watching.broker.getToken({ scope: 'groups' })
    const { accessToken } = await other.broker.getToken()
    await until(() => other.storeCalls.includes('put kept'))
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart()
    await until(() => watching.broker.peekToken({ scope: 'groups' }) === undefined)
    expect((await watching.broker.getToken()).accessToken).not.toBe(accessToken)
    await until(() => cachedBy(other) === undefined)
    await until(() => watching.storeCalls.filter(call => call === 'put kept').length === 2)
    expect((await other.broker.getToken()).accessToken).toBe(cachedBy(watching))
  })
})

describe('credentials that Dex rejects', () => {
  const own = { ...orders }

  test('end the shared token of these credentials on all replicas', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add({ client: undefined }), running.add({ client: undefined })]
    await first.broker.getToken(own)
    await until(() => first.storeCalls.includes('put kept'))
    await second.broker.getToken(own)
    running.dex.setClientSecret('orders', 'rotated')
    running.advance(0.85 * (lifeMs - 30_000))
    await first.broker.getToken(own)
    await until(() => first.broker.peekToken(own) === undefined)
    await until(() => second.broker.peekToken(own) === undefined)
    expect(await failureOf(second.broker.getToken(own))).toMatchObject({ code: 'token_request_rejected' })
  })

  test('and were never right are no news for the other replicas', async () => {
    await using running = await startReplicas()
    const { broker, store } = running.add({ client: undefined })
    for (let attempt = 0; attempt < 20; attempt++) {
      await failureOf(broker.getToken({ clientId: 'orders', clientSecret: `guess ${attempt}` }))
    }
    expect(store.counts).toMatchObject({ forget: 0, put: 0, lease: 20, release: 20 })
  })

  test('of another caller never lead to a shared token, and each replica judges them itself', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add(), running.add()]
    await first.broker.getToken()
    await first.broker.getToken(own)
    await until(() => first.storeCalls.filter(call => call === 'put kept').length === 2)
    const wrong = { clientId: 'orders', clientSecret: 'wrong' }
    for (const { broker } of [first, second]) {
      expect(await failureOf(broker.getToken(wrong))).toMatchObject({ code: 'token_request_rejected' })
      expect(await failureOf(broker.getToken(wrong))).toMatchObject({ code: 'token_request_rejected' })
    }
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(4)
  })
})
