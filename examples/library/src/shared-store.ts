// Two replicas and one token request. In place of Redis, the store is in memory.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { startDevDex } from '@broker/dev-dex'
import { MemoryTokenStore } from '@broker/testing'

await using dex = await startDevDex({ clients: [{ id: 'reports', secret: 'reports-secret' }] })
const { issuer } = dex
const clientSecret = 'reports-secret'
const key = randomBytes(32).toString('base64')
const memory = new MemoryTokenStore({ wall: Date.now })

const store = memory.handle()

// #region shared-store
import { TokenBroker, type TokenBrokerOptions } from '@broker/core'

const options: TokenBrokerOptions = {
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret },
  sharedStore: { store, keys: [key] }, // 32 random bytes in base64
}
await using broker = new TokenBroker(options)
// #endregion shared-store

// Another process has a separate connection.
await using other = new TokenBroker({ ...options, sharedStore: { store: memory.handle(), keys: [key] } })
const tokens = await Promise.all([broker.getToken(), other.getToken()])
assert.equal(tokens[0]?.accessToken, tokens[1]?.accessToken)
assert.equal(dex.counts.tokenRequests, 1)
console.log('two brokers with one store made one token request')
