import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'

// The users log in here, at the application `web`.
await using idp = await startDevDex({
  issuerPath: '/',
  clients: [
    { id: 'web', secret: 'web-secret' },
    { id: 'intranet', secret: 'intranet-secret' },
  ],
  passwordConnector: 'local',
  users: ['alice', 'bob'].map(name => ({
    email: `${name}@example.com`,
    password: `${name}-password`,
    username: name,
    userID: `id-of-${name}`,
    groups: ['staff'],
  })),
})

// Dex: its connector `staff` leads to the identity provider.
await using dex = await startDevDex({
  connectors: [{ type: 'oidc', id: 'staff', issuer: idp.issuer, insecureEnableGroups: true }],
  clients: [
    { id: 'portal', secret: 'portal-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['portal'] },
  ],
})

// An API that accepts tokens of Dex for the audience `orders`, and shows each user their own orders.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const api = createServer(async (request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ordersOf: payload['email'], groups: payload['groups'] }))
  } catch {
    response.writeHead(401).end()
  }
})
const ordersUrl = await listen(api)
const idpIssuer = idp.issuer
const issuer = dex.issuer
const clientSecret = 'portal-secret'

// #region set-up
import { TokenBroker } from '@broker/core'
import { brokerErrorHandler, createRequestFetch, requireJwt } from '@broker/express-adapter'
import express from 'express'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'portal', clientSecret, scope: 'openid email groups', audiences: ['orders'] },
  issuers: [{ name: 'staff', issuer: idpIssuer, audiences: ['web'] }],
})
const requestFetch = createRequestFetch(broker, {
  allow: [`${ordersUrl}/orders`],
  exchange: { connectorId: 'staff' },
})

const app = express()
app.use(requireJwt(broker))
app.get('/my-orders', async (request, response) => {
  // Carries a token of Dex about the caller.
  const orders = await requestFetch(request)(`${ordersUrl}/orders`)
  response.json(await orders.json())
})
app.use(brokerErrorHandler())
// #endregion set-up

const server = createServer(app)
const url = await listen(server)

for (const user of ['alice', 'bob']) {
  const jwt = await login(user, 'web')
  for (let calls = 0; calls < 3; calls++) {
    const answer = await fetch(`${url}/my-orders`, { headers: { authorization: `Bearer ${jwt}` } })
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { ordersOf: `${user}@example.com`, groups: ['staff'] })
  }
}
assert.deepEqual([dex.counts.exchangeRequests, dex.counts.tokenRequests], [2, 2])

// Dex would exchange it: its connector accepts any audience.
const forIntranet = await login('alice', 'intranet')
const refused = await fetch(`${url}/my-orders`, { headers: { authorization: `Bearer ${forIntranet}` } })
assert.equal(refused.status, 401)
assert.equal(dex.counts.exchangeRequests, 2)

const subjectToken = await login('alice', 'web')

// #region library
const token = await broker.exchange({ subjectToken, connectorId: 'staff' })
const answer = await fetch(`${ordersUrl}/orders`, { headers: token.headers })
// #endregion library
assert.equal(answer.status, 200)
assert.ok(token.expiresAt <= Number(decodeJwt(subjectToken).exp) * 1000)
await broker.close()

// #region check
const gateway = new TokenBroker({
  issuer,
  client: { clientId: 'portal', clientSecret, scope: 'openid email groups', audiences: ['orders'] },
  issuers: [{ name: 'staff', issuer: idpIssuer, audiences: ['web'] }],
  chooseClient: caller =>
    caller?.groups.includes('staff')
      ? { exchange: { connectorId: 'staff', client: 'default' } }
      : { deny: 'only staff' },
})
const verdict = await gateway.check({ headers: ['authorization', `Bearer ${subjectToken}`] })
// #endregion check
assert.equal(verdict.outcome, 'allow')
await gateway.close()

console.log('2 users made 6 calls as themselves, with 2 exchanges; a JWT for another application was refused')

for (const running of [server, api]) {
  running.close()
  running.closeAllConnections()
}

/** Returns the ID token of a user who logs in at an application. */
async function login(user: string, application: string): Promise<string> {
  const response = await fetch(idp.tokenEndpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${application}:${application}-secret`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'password',
      username: `${user}@example.com`,
      password: `${user}-password`,
      scope: 'openid email profile groups',
    }),
  })
  return ((await response.json()) as { id_token: string }).id_token
}

async function listen(listening: Server): Promise<string> {
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
