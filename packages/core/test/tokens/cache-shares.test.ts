import { expect, test } from 'vitest'
import { billing, orders, startBrokerWithDex } from '../broker-with-dex.ts'

/** 31 different requests of one client: each subset of these but the empty one is another token. */
const scopes = ['openid', 'email', 'profile', 'groups', 'audience:server:client_id:billing']
const combinations = Array.from({ length: 31 }, (_, index) =>
  scopes.filter((_, bit) => ((index + 1) >> bit) & 1).join(' '),
)

test('a client with more scope combinations than the cache has room evicts its own tokens and no others', async () => {
  await using running = await startBrokerWithDex({ cacheMaxEntries: 20 })
  const { broker, dex } = running
  const billings = await broker.getToken(billing)
  running.clock.advance(1_000)
  for (const scope of combinations) await broker.getToken({ ...orders, scope })
  expect(broker.cacheStatistics).toMatchObject({ entries: 20, evictions: 12 })
  expect(await broker.getToken(billing)).toBe(billings)
  expect(dex.counts.tokenRequests).toBe(32)
})

test('a client that had the whole cache gives way to others, one token for each', async () => {
  const clients = Array.from({ length: 10 }, (_, index) => ({ id: `client-${index}`, secret: 'secret' }))
  await using running = await startBrokerWithDex(
    { cacheMaxEntries: 20 },
    {
      clients: [
        ...clients,
        { id: 'orders', secret: 'orders-secret' },
        { id: 'billing', secret: 'x', trustedPeers: ['orders'] },
      ],
    },
  )
  const { broker, dex, clock } = running
  const requests = clients.map(({ id }) => ({ clientId: id, clientSecret: 'secret' }))
  for (const scope of combinations) await broker.getToken({ ...orders, scope })
  for (const request of requests) {
    clock.advance(1_000)
    await broker.getToken(request)
  }
  for (const scope of combinations) await broker.getToken({ ...orders, scope })
  const before = dex.counts.tokenRequests
  for (const request of requests) await broker.getToken(request)
  expect(dex.counts.tokenRequests).toBe(before)
  expect(broker.cacheStatistics.entries).toBe(20)
})

test('where each client holds one token, a second one of a client takes the place of its first', async () => {
  await using running = await startBrokerWithDex({ cacheMaxEntries: 2 })
  const { broker, clock } = running
  const billings = await broker.getToken(billing)
  clock.advance(1_000)
  await broker.getToken(orders)
  await broker.getToken({ ...orders, scope: 'groups' })
  expect(broker.peekToken(billing)).toBe(billings)
  expect(broker.peekToken(orders)).toBeUndefined()
  expect(broker.peekToken({ ...orders, scope: 'groups' })).toBeDefined()
})
