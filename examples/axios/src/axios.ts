import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, jwtVerify } from 'jose'

await using dex = await startDevDex({
  clients: [
    { id: 'reports', secret: 'reports-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
  ],
})
const { issuer } = dex
const clientSecret = 'reports-secret'

// An API that accepts Dex's tokens for the audience `orders`, but for those that it is told to refuse, and redirects
// elsewhere on demand.
const refused = new Set<string>()
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const api = createServer(async (request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const known = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).catch(
    () => undefined,
  )
  const accepted = known && !refused.has(token)
  if (request.url === '/orders/moved') response.writeHead(302, { location: elsewhereUrl }).end()
  else response.writeHead(accepted ? 200 : 401).end(accepted ? 'three orders' : 'no')
})
const requestsElsewhere: string[][] = []
const elsewhere = createServer((request, response) => {
  requestsElsewhere.push(Object.keys(request.headers))
  response.end('elsewhere')
})
const elsewhereUrl = await listen(elsewhere)
const apiUrl = await listen(api)

// #region set-up
import { axiosInterceptor, TokenBroker } from '@broker/core'
import axios from 'axios'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
  tokenHeaders: { access_token: 'x-access-token' },
})
const client = axios.create()
axiosInterceptor(broker, { allow: [`${apiUrl}/orders`] })(client)

const orders = await client.get<string>('/orders', { baseURL: apiUrl })
// #endregion set-up

assert.equal(orders.data, 'three orders')
const moved = await client.get('/orders/moved', { baseURL: apiUrl, validateStatus: status => status === 302 })
assert.equal(moved.headers['location'], elsewhereUrl)
assert.equal(requestsElsewhere.length, 0)
assert.equal((await client.get<string>(elsewhereUrl)).data, 'elsewhere')
assert.ok(!requestsElsewhere[0]?.some(name => name === 'authorization' || name === 'x-access-token'))
assert.equal(dex.counts.tokenRequests, 1)

// A token that the API refuses is replaced, and the call made once more, with its body.
refused.add((await broker.getToken()).accessToken)
const again = await client.post<string>('/orders', { count: 3 }, { baseURL: apiUrl })
assert.equal(again.data, 'three orders')
assert.equal(dex.counts.tokenRequests, 2)

// #region got
import { gotHooks } from '@broker/core'
import got from 'got'

const gotClient = got.extend({ hooks: gotHooks(broker, { allow: [`${apiUrl}/orders`] }) })

const { body } = await gotClient.post(`${apiUrl}/orders`, { json: { count: 3 } })
// #endregion got
assert.equal(body, 'three orders')
assert.equal((await gotClient(`${apiUrl}/orders/moved`)).statusCode, 302)
assert.ok(!requestsElsewhere.flat().some(name => name === 'authorization' || name === 'x-access-token'))

// Without a token the call is not made. A logged error shows none.
refused.add((await broker.getToken()).accessToken)
const refusal = await client.get('/orders', { baseURL: apiUrl }).catch((error: unknown) => error)
for (const token of refused) assert.ok(!inspect(refusal, { depth: 10 }).includes(token))
await broker.close()
await assert.rejects(client.get('/orders', { baseURL: apiUrl }), { code: 'token_endpoint_unavailable' })
await assert.rejects(gotClient(`${apiUrl}/orders`), { code: 'token_endpoint_unavailable' })
console.log('the API answered "three orders"; nobody else received a token')

for (const running of [api, elsewhere]) {
  running.close()
  running.closeAllConnections()
}

async function listen(listening: Server): Promise<string> {
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
