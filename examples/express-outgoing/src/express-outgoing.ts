import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
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

// An API that accepts Dex's tokens for the audience `orders`, and is slow on demand.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
let abandoned = 0
const api = createServer(async (request, response) => {
  response.once('close', () => (abandoned += response.writableFinished ? 0 : 1))
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).catch(
    () => undefined,
  )
  if (request.url === '/orders/slow') return
  response.writeHead(accepted ? 200 : 401, { 'content-type': 'application/json' }).end('{"orders":3}')
})
const ordersUrl = await listen(api)

// #region set-up
import { TokenBroker } from '@broker/core'
import { brokerErrorHandler, createRequestFetch } from '@broker/express-adapter'
import express from 'express'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
})
const requestFetch = createRequestFetch(broker, { allow: [`${ordersUrl}/orders`] })

const app = express()
app.get('/report', async (request, response) => {
  // Ends when the caller of this request leaves.
  const orders = await requestFetch(request)(`${ordersUrl}/orders`)
  response.json(await orders.json())
})
app.use(brokerErrorHandler())
// #endregion set-up
app.get('/slow-report', async (request, response) => {
  response.json(await (await requestFetch(request)(`${ordersUrl}/orders/slow`)).json())
})
app.use(brokerErrorHandler())
const server = createServer(app)
const url = await listen(server)

for (let calls = 0; calls < 3; calls++) {
  const report = await fetch(`${url}/report`)
  assert.equal(report.status, 200)
  assert.deepEqual(await report.json(), { orders: 3 })
}
assert.equal(dex.counts.tokenRequests, 1)

const leaving = new AbortController()
const arrived = once(api, 'request')
const slow = fetch(`${url}/slow-report`, { signal: leaving.signal }).catch(() => 'left')
const [, answer] = await arrived
leaving.abort()
assert.equal(await slow, 'left')
if (!answer.closed) await once(answer, 'close')
assert.equal(abandoned, 1)
console.log('3 reports made 1 token request; when the client left, the call to the API ended')

await broker.close()
for (const running of [server, api]) {
  running.close()
  running.closeAllConnections()
}

async function listen(listening: Server): Promise<string> {
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
