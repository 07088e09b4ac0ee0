import { expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex, until } from './broker-with-dex.ts'

/** Two issuers with the same token endpoint, and a client of each with the same credentials. */
const twice = ({
  tokenEndpoint,
  jwksUri,
  issuer,
}: {
  tokenEndpoint: string
  jwksUri: string
  issuer: string
}) => ({
  issuers: ['inside', 'outside'].map(name => ({
    name,
    issuer: `${issuer}/${name}`,
    tokenEndpoint,
    jwksUri,
    audiences: ['svc'],
  })),
  clients: { a: { ...orders, dex: 'inside' }, b: { ...orders, dex: 'outside' } },
  tokenEndpoint: `${tokenEndpoint}/none`,
})

test('callers that come in turns through two issuers with one token endpoint share one request of each', async () => {
  await using running = await startBrokerWithDex(twice)
  const { broker, dex } = running
  dex.setFault('token', { kind: 'slow', delayMs: 50 })
  const tokens = Array.from({ length: 40 }, (_, index) =>
    broker.getToken({ client: index % 2 === 0 ? 'a' : 'b' }),
  )
  await Promise.all(tokens)
  expect(dex.counts.tokenRequests).toBe(2)
  await broker.getToken({ client: 'a' })
  expect(dex.counts.tokenRequests).toBe(2)
})

test('closing the broker ends both requests', async () => {
  await using running = await startBrokerWithDex(twice)
  const { broker, dex } = running
  dex.setFault('token', { kind: 'hang' })
  const failures = ['a', 'b'].map(client => failureOf(broker.getToken({ client })))
  await until(() => dex.counts.tokenRequests === 2)
  await broker.close()
  for (const { message } of await Promise.all(failures)) expect(message).toBe('the broker is closed')
})
