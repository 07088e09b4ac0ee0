import { expect, test } from 'vitest'
import { failureOf, until } from '../broker-with-dex.ts'
import { startReconfigurable } from './reconfigurable-broker.ts'

const clientWith = (clientSecret: () => string | Promise<string>) => ({
  client: { clientId: 'orders', clientSecret },
})

test('a reconfiguration with a function that returns the right secret helps at once', async () => {
  await using running = await startReconfigurable(() => clientWith(() => 'wrong'))
  const { broker } = running
  expect((await failureOf(broker.getToken())).code).toBe('client_misconfigured')
  running.reconfigure(clientWith(() => 'orders-secret'))
  await broker.getToken()
})

test('the same function keeps what is known about its secret', async () => {
  let calls = 0
  const client = clientWith(() => {
    calls++
    return 'wrong'
  })
  await using running = await startReconfigurable(() => client)
  const { broker, dex } = running
  await failureOf(broker.getToken())
  const before = { calls, requests: dex.counts.tokenRequests }
  running.reconfigure({ ...client })
  await failureOf(broker.getToken())
  expect({ calls, requests: dex.counts.tokenRequests }).toEqual(before)
})

test('however often secrets are renewed during a call, a token request ends in time', async () => {
  const vault = { calls: 0 }
  await using running = await startReconfigurable(() => ({
    ...clientWith(() => {
      vault.calls++
      return new Promise(() => {})
    }),
    requestTimeoutMs: 200,
  }))
  const { broker } = running
  const failure = failureOf(broker.getToken())
  let isOver = false
  void failure.then(() => {
    isOver = true
  })
  // Each time before the call can end at its own deadline.
  await until(() => {
    broker.renewSecrets()
    return isOver
  })
  expect(await failure).toMatchObject({
    code: 'token_endpoint_unavailable',
    hint: { problem: 'secret_unavailable', option: 'client.clientSecret' },
  })
  expect(vault.calls).toBeGreaterThan(1)
})
