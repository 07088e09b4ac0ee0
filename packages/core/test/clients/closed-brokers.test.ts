import { expect, test } from 'vitest'
import type { SecretRequest } from '../../src/clients/secret-source.ts'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

/** A function that never answers, and the requests that it got. */
function hangingVault() {
  const requests: SecretRequest[] = []
  const source = (request: SecretRequest) => {
    requests.push(request)
    return new Promise<string>(() => {})
  }
  return { requests, client: { clientId: 'orders', clientSecret: source } }
}

test('a broker that closes before the function is called does not call it, and the caller is told', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    const vault = hangingVault()
    await using running = await startBrokerWithDex({ client: vault.client })
    const failure = failureOf(running.broker.getToken())
    await running.broker.close()
    expect(await failure).toMatchObject({ message: 'the broker is closed' })
    await new Promise(resolve => setImmediate(resolve))
    expect(vault.requests).toEqual([])
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('closing the broker ends a call for a client that a reconfiguration removed before the call', async () => {
  const vault = hangingVault()
  await using running = await startBrokerWithDex(({ issuer }) => ({
    tokenEndpoint: undefined,
    issuer,
    client: vault.client,
  }))
  const { broker, dex } = running
  dex.setFault('discovery', { kind: 'slow', delayMs: 50 })
  const failure = failureOf(broker.getToken())
  await until(() => dex.counts.discoveryRequests === 1)
  broker.reconfigure({ issuer: dex.issuer })
  await until(() => vault.requests.length === 1)
  await broker.close()
  expect(await failure).toMatchObject({ message: 'the broker is closed' })
  expect(vault.requests.map(({ signal }) => signal.aborted)).toEqual([true])
})

test('closing the broker while a function replaces a refused secret is not a refusal of the client', async () => {
  const vault = hangingVault()
  const { requests } = vault
  const source = (request: SecretRequest) => (request.isRefused ? vault.client.clientSecret(request) : 'old')
  await using running = await startBrokerWithDex({ client: { ...orders, clientSecret: source } })
  const failure = failureOf(running.broker.getToken())
  await until(() => requests.length === 1)
  await running.broker.close()
  expect(await failure).toMatchObject({ message: 'the broker is closed' })
  expect(requests[0]?.signal.aborted).toBe(true)
  expect(running.log.lines).toEqual([])
})
