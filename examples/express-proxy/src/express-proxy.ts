import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, jwtVerify } from 'jose'

await using dex = await startDevDex({
  clients: [
    { id: 'portal', secret: 'portal-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['portal'] },
  ],
})
const { issuer } = dex
const clientSecret = 'portal-secret'
const auditSecret = 'orders-secret'

// An API that accepts Dex's tokens for the audience `orders`, and tells what it received.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const received: { method: string; path: string; body: string; headers: IncomingHttpHeaders }[] = []
const api = createServer(async (request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).catch(
    () => undefined,
  )
  const { method = '', url = '', headers } = request
  received.push({ method, path: url, body: await text(request), headers })
  response.writeHead(accepted ? 200 : 401).end(accepted ? 'stored' : 'no')
})
const ordersUrl = await listen(api)

// #region set-up
import { TokenBroker } from '@broker/core'
import { attachToken, brokerErrorHandler } from '@broker/express-adapter'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'portal', clientSecret, audiences: ['orders'] },
  tokenHeaders: { access_token: 'x-access-token', id_token: 'x-id-token' },
})

const app = express()
app.use('/api', attachToken(broker), createProxyMiddleware({ target: ordersUrl, changeOrigin: true }))
app.use(brokerErrorHandler())
// #endregion set-up
const server = createServer(app)
const url = await listen(server)

const stored = await fetch(`${url}/api/orders/7?dry=1`, {
  method: 'PUT',
  body: 'three bolts',
  headers: {
    'content-type': 'text/plain',
    authorization: 'Bearer forged',
    'x-access-token': 'forged',
    'x-id-token': 'forged',
    'x-client-secret': 'not for the API',
    'x-request-id': 'abc',
  },
})
assert.equal(await stored.text(), 'stored')
const [request] = received
assert.ok(request)
assert.deepEqual([request.method, request.path, request.body], ['PUT', '/orders/7?dry=1', 'three bolts'])
const { accessToken } = await broker.getToken()
assert.equal(request.headers.authorization, `Bearer ${accessToken}`)
assert.equal(request.headers['x-access-token'], accessToken)
// Dex issued no ID token: the client's header must not take its place.
for (const name of ['x-id-token', 'x-client-secret']) assert.equal(request.headers[name], undefined)
assert.equal(request.headers['x-request-id'], 'abc')

// #region body-parser
import { fixRequestBody } from 'http-proxy-middleware'

const parsing = express()
parsing.use(express.json())
parsing.use(
  '/api',
  attachToken(broker),
  createProxyMiddleware({ target: ordersUrl, changeOrigin: true, on: { proxyReq: fixRequestBody } }),
)
// #endregion body-parser
const parsingServer = createServer(parsing)
const parsed = await fetch(`${await listen(parsingServer)}/api/orders/9`, {
  method: 'PUT',
  body: '{"count":3}',
  headers: { 'content-type': 'application/json' },
})
assert.equal(await parsed.text(), 'stored')
assert.equal(received.at(-1)?.body, '{"count":3}')

// #region tenants
const tenants = express()
tenants.use(
  '/api',
  attachToken(broker, {
    token: async request => {
      const clientId = String(request.headers['x-tenant'])
      return { clientId, clientSecret: await secretOf(clientId) }
    },
  }),
  createProxyMiddleware({ target: ordersUrl, changeOrigin: true }),
)
tenants.use(brokerErrorHandler())
// #endregion tenants
const tenantsServer = createServer(tenants)
const ofTenant = await fetch(`${await listen(tenantsServer)}/api/orders/1`, {
  headers: { 'x-tenant': 'orders' },
})
assert.equal(await ofTenant.text(), 'stored')
const basic = dex.tokenRequests.at(-1)?.headers.authorization?.replace('Basic ', '') ?? ''
assert.equal(Buffer.from(basic, 'base64').toString(), 'orders:orders-secret')

// #region by-caller
import { authOf, requireJwt } from '@broker/express-adapter'

const portal = new TokenBroker({
  issuer,
  gate: { audience: 'portal' },
  clients: {
    staff: { clientId: 'portal', clientSecret, audiences: ['orders'] },
    audit: { clientId: 'orders', clientSecret: auditSecret },
  },
})
const byCaller = express()
byCaller.use(
  '/api',
  requireJwt(portal),
  attachToken(portal, {
    token: request => ({ client: authOf(request).groups.includes('auditors') ? 'audit' : 'staff' }),
  }),
  createProxyMiddleware({ target: ordersUrl, changeOrigin: true }),
)
byCaller.use(brokerErrorHandler())
// #endregion by-caller
const byCallerServer = createServer(byCaller)
const byCallerUrl = await listen(byCallerServer)
const claims = { iss: issuer, aud: 'portal', exp: Math.floor(Date.now() / 1000) + 3600 }
for (const [groups, client] of [
  [['auditors'], 'audit'],
  [['shop'], 'staff'],
] as const) {
  const authorization = `Bearer ${dex.signJwt({ ...claims, groups })}`
  assert.equal(
    await (await fetch(`${byCallerUrl}/api/orders/2`, { headers: { authorization } })).text(),
    'stored',
  )
  const token = await portal.getToken({ client })
  assert.equal(received.at(-1)?.headers.authorization, `Bearer ${token.accessToken}`)
}
const beforeStranger = received.length
assert.equal((await fetch(`${byCallerUrl}/api/orders/2`)).status, 401)
assert.equal(received.length, beforeStranger)
const beforeRefusal = received.length

// Without a token nothing is forwarded. The client of the configuration is not the caller's affair: 502, not 401.
broker.invalidate(await broker.getToken())
dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
const refused = await fetch(`${url}/api/orders/8`, { method: 'PUT', body: 'nothing' })
assert.equal(refused.status, 502)
assert.equal(received.length, beforeRefusal)
console.log('the API stored "three bolts" with our token; what the client forged did not arrive')

await broker.close()
await portal.close()
for (const running of [server, parsingServer, tenantsServer, byCallerServer, api]) {
  running.close()
  running.closeAllConnections()
}

async function secretOf(clientId: string): Promise<string> {
  return clientId === 'orders' ? 'orders-secret' : 'unknown'
}

async function listen(listening: Server): Promise<string> {
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
