import { expect, test } from 'vitest'
import { failureOf, startBrokerWithDex, until } from '../broker-with-dex.ts'

/** A function that is answered later when Dex refused its secret. */
function slowVault() {
  const answers: ((secret: string) => void)[] = []
  const source = ({ isRefused }: { readonly isRefused: boolean }) =>
    isRefused ? new Promise<string>(resolve => answers.push(resolve)) : 'outdated'
  return { answers, client: { clientId: 'orders', clientSecret: source } }
}

test('a function that is slow after a refusal holds no slot: other clients get their tokens meanwhile', async () => {
  const vault = slowVault()
  await using running = await startBrokerWithDex({ client: vault.client, maxConnections: 1 })
  const { broker, dex } = running
  const token = broker.getToken()
  await until(() => vault.answers.length === 1)
  await broker.getToken({ clientId: 'billing', clientSecret: 'billing-secret' })
  vault.answers[0]?.('orders-secret')
  await token
  expect(dex.counts.tokenRequests).toBe(3)
})

test('a request waits for a slot again after its function has answered', async () => {
  const vault = slowVault()
  await using running = await startBrokerWithDex({ client: vault.client, maxConnections: 1 })
  const { broker, dex } = running
  const token = broker.getToken()
  await until(() => vault.answers.length === 1)
  dex.setFault('token', { kind: 'hang', times: 1 })
  const other = failureOf(broker.getToken({ clientId: 'billing', clientSecret: 'billing-secret' }))
  await until(() => dex.counts.tokenRequests === 2)
  vault.answers[0]?.('orders-secret')
  await new Promise(resolve => setImmediate(resolve))
  expect(dex.counts.tokenRequests).toBe(2)
  await broker.close()
  expect((await other).message).toBe('the broker is closed')
  expect((await failureOf(token)).message).toBe('the broker is closed')
})
