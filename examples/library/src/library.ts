import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BrokerError, createFetch, TokenBroker } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, jwtVerify } from 'jose'

await using dex = await startDevDex({
  clients: [
    { id: 'reports', name: 'Reports', secret: 's3cr3t+/%' },
    { id: 'orders', name: 'Orders', secret: 'orders-secret', trustedPeers: ['reports'] },
  ],
})
const { issuer } = dex
const clientSecret = 's3cr3t+/%'

// An API that accepts Dex's tokens for the audience `orders`.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const api = createServer(async (request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).catch(
    () => undefined,
  )
  response.writeHead(accepted ? 200 : 401).end(accepted ? 'three orders' : 'no')
})
await new Promise<void>(resolve => api.listen(0, '127.0.0.1', resolve))
const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/orders`

// #region broker
const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
})

const token = await broker.getToken()
const response = await fetch(apiUrl, { headers: token.headers })
// #endregion broker

assert.equal(response.status, 200)
assert.equal(await response.text(), 'three orders')
await Promise.all(Array.from({ length: 100 }, () => broker.getToken()))
assert.equal(dex.counts.tokenRequests, 1)
console.log('the API answered "three orders"; 101 calls for the token made 1 token request')

// #region fetch
const callApi = createFetch(broker, { allow: [apiUrl] })

const orders = await callApi(`${apiUrl}/7`, { signal: AbortSignal.timeout(2_000) })
// #endregion fetch
assert.equal(await orders.text(), 'three orders')
assert.equal(dex.counts.tokenRequests, 1)

// #region errors
async function tokenForScope(scope: string): Promise<string> {
  try {
    const { accessToken } = await broker.getToken({ scope })
    return accessToken
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    // token_request_rejected 401, token_endpoint_unavailable 503, ...: the table is docs/errors.md.
    return `${error.code} ${error.status}, again in ${error.retryAfterMs ?? 'unknown'} ms`
  }
}
// #endregion errors
assert.match(await tokenForScope('openid no-such-scope'), /^token_request_rejected 401/)

// #region abort
const leaving = new AbortController()
const waiting = broker.getToken({ scope: 'groups', signal: leaving.signal, timeoutMs: 1_000 })
leaving.abort(new Error('the caller has left'))
// #endregion abort
await assert.rejects(waiting, /the caller has left/)

// #region observe
const outcomes = new Map<string, number>()
const observed = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  observe: event => {
    const name = `${event.type} ${event.type === 'jwt_refusal' ? event.reason : event.outcome}`
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
  },
})
// #endregion observe
await Promise.all([observed.getToken(), observed.getToken(), observed.getToken()])
assert.deepEqual(
  [...outcomes],
  [
    ['discovery discovered', 1],
    ['token_request issued', 1],
  ],
)

await broker.close()
await observed.close()
api.close()
api.closeAllConnections()
