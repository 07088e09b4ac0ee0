// Options that change while the broker runs; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { startDevDex } from '@broker/dev-dex'

await using dex = await startDevDex({
  clients: [
    { id: 'orders-readers', secret: 'readers-secret' },
    { id: 'orders-writers', secret: 'writers-secret' },
  ],
})
const { issuer } = dex
const readers = { clientId: 'orders-readers', clientSecret: 'readers-secret' }
const writers = { clientId: 'orders-writers', clientSecret: 'writers-secret' }

// #region reconfigure
import { TokenBroker, type TokenBrokerOptions } from '@broker/core'

const optionsWith = (clients: TokenBrokerOptions['clients']): TokenBrokerOptions => ({
  issuer, // https://dex.example.com/dex
  clients,
  requestTimeoutMs: 3_000,
})
await using broker = new TokenBroker(optionsWith({ readers }))

const before = await broker.getToken({ client: 'readers' })
broker.reconfigure(optionsWith({ readers, writers }))
await broker.getToken({ client: 'writers' })
const after = await broker.getToken({ client: 'readers' }) // the same token, without a request
// #endregion reconfigure

assert.equal(after, before)
assert.equal(dex.counts.tokenRequests, 2)
assert.equal(dex.counts.discoveryRequests, 1)
assert.throws(() => broker.reconfigure({ ...optionsWith({}), realm: '' }), TypeError)
assert.equal(broker.peekToken({ client: 'readers' }), before)
console.log('a client was added, and nothing else changed')
