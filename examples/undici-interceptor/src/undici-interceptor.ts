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

// An API that accepts Dex's tokens for the audience `orders`, and redirects elsewhere on demand.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const api = createServer(async (incoming, response) => {
  const token = incoming.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).catch(
    () => undefined,
  )
  if (incoming.url === '/orders/moved') response.writeHead(302, { location: elsewhereUrl }).end()
  else response.writeHead(accepted ? 200 : 401).end(accepted ? 'three orders' : 'no')
})
const headersElsewhere: string[] = []
const elsewhere = createServer((incoming, response) => {
  headersElsewhere.push(...Object.keys(incoming.headers))
  response.end('elsewhere')
})
const elsewhereUrl = await listen(elsewhere)
const apiUrl = await listen(api)

// #region set-up
import { TokenBroker } from '@broker/core'
import { tokenInterceptor } from '@broker/core/undici'
import { Agent, interceptors, request } from 'undici'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
  tokenHeaders: { access_token: 'x-access-token' },
})
// Innermost first: the redirect interceptor is outside, so every hop is checked against `allow`.
const dispatcher = new Agent().compose(
  tokenInterceptor(broker, { allow: [apiUrl] }),
  interceptors.redirect({ maxRedirections: 3 }),
)

const { statusCode, body } = await request(`${apiUrl}/orders`, { dispatcher })
// #endregion set-up

assert.equal(statusCode, 200)
assert.equal(await body.text(), 'three orders')
const moved = await request(`${apiUrl}/orders/moved`, { dispatcher })
assert.equal(await moved.body.text(), 'elsewhere')
assert.ok(!headersElsewhere.includes('authorization') && !headersElsewhere.includes('x-access-token'))
assert.equal(dex.counts.tokenRequests, 1)
console.log('the API answered "three orders"; the place it redirected to received no token')

await dispatcher.close()
await broker.close()
for (const running of [api, elsewhere]) {
  running.close()
  running.closeAllConnections()
}

async function listen(listening: Server): Promise<string> {
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
