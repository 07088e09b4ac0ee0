// The snippets of docs/library.md, in its order; imports stand where the page shows them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDevDex } from '@broker/dev-dex'

await using dex = await startDevDex({
  clients: [
    { id: 'reports', secret: 'reports-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
    { id: 'billing', secret: 'billing-secret' },
  ],
})
const { issuer } = dex
const clientSecret = 'reports-secret'

// An API that refuses one token on demand.
let refused = ''
const api = createServer((request, response) => {
  const { authorization } = request.headers
  response.writeHead(authorization === undefined || authorization === refused ? 401 : 200).end('three orders')
})
await once(api.listen(0, '127.0.0.1'), 'listening')
const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`

// #region token
import { TokenBroker } from '@broker/core'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
})

const token = await broker.getToken()
const response = await fetch(`${apiUrl}/orders`, { headers: token.headers })
// #endregion token
assert.equal(response.status, 200)

// #region fetch
import { createFetch } from '@broker/core'

const callApi = createFetch(broker, { allow: [apiUrl] })

const orders = await callApi(`${apiUrl}/orders`, { signal: AbortSignal.timeout(2_000) })
// #endregion fetch
assert.equal(orders.status, 200)
refused = `Bearer ${token.accessToken}`
assert.equal((await callApi(`${apiUrl}/orders`, { method: 'POST', body: 'one more' })).status, 200)
assert.equal(dex.counts.tokenRequests, 2)

// #region tenants
const callTenant = createFetch(broker, {
  allow: [apiUrl],
  token: url => (url.pathname.startsWith('/billing/') ? { audiences: ['billing'] } : {}),
})
// #endregion tenants
assert.equal((await callTenant(`${apiUrl}/orders`)).status, 200)
assert.equal(dex.counts.tokenRequests, 2)

// #region upload
const upload = createFetch(broker, { allow: [apiUrl], token: { minRemainingMs: 15 * 60_000 } })
// #endregion upload
assert.equal((await upload(`${apiUrl}/orders`, { method: 'POST', body: 'many' })).status, 200)
assert.equal(dex.counts.tokenRequests, 2)

// #region other-servers
const ofOtherServer = new TokenBroker({
  issuer, // https://tenant.auth0.com/
  client: { clientId: 'reports', clientSecret, extraParams: { audience: 'https://orders.example.com' } },
})

const ordersToken = await ofOtherServer.getToken()
const stockToken = await ofOtherServer.getToken({ extraParams: { audience: 'https://stock.example.com' } })
// #endregion other-servers
assert.notEqual(ordersToken, stockToken)
assert.deepEqual(
  dex.tokenRequests.slice(2).map(({ form }) => form['audience']),
  ['https://orders.example.com', 'https://stock.example.com'],
)
dex.resetRecords()

// #region errors
import { BrokerError } from '@broker/core'
import { hintText } from '@broker/core/options'

async function tokenFor(peer: string): Promise<string> {
  try {
    const { accessToken } = await broker.getToken({ audiences: [peer] })
    return accessToken
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    console.log({
      code: error.code,
      transient: error.transient,
      oauthError: error.oauthError,
      hint: error.hint && hintText(error.hint),
    })
    throw error
  }
}
// #endregion errors
assert.ok(await tokenFor('orders'))
await assert.rejects(tokenFor('billing'), {
  code: 'token_request_rejected',
  transient: false,
  oauthError: 'invalid_scope',
  hint: { problem: 'peer_does_not_trust', option: 'client.audiences' },
})

// #region abort
const leaving = new AbortController()
const waiting = broker.getToken({ scope: 'groups', signal: leaving.signal, timeoutMs: 1_000 })
leaving.abort(new Error('the caller has left'))
// #endregion abort
await assert.rejects(waiting, /the caller has left/)
dex.setFault('token', { kind: 'hang' })
await assert.rejects(broker.getToken({ scope: 'email', timeoutMs: 50 }), {
  code: 'token_endpoint_unavailable',
  transient: true,
})
dex.clearFaults()

// #region headers
import { headerProvider } from '@broker/core'

const headersFor = headerProvider(broker, { allow: [apiUrl] })

async function getOrders(): Promise<Response> {
  const sent = broker.peekToken()
  const answer = await fetch(`${apiUrl}/orders`, {
    headers: await headersFor(`${apiUrl}/orders`),
    redirect: 'manual',
  })
  const refusedToken = sent ?? broker.peekToken()
  if (answer.status === 401 && refusedToken !== undefined) broker.invalidate(refusedToken)
  return answer
}
// #endregion headers
assert.equal((await getOrders()).status, 200)
assert.deepEqual(await headersFor('https://elsewhere.example.com/'), {})

// #region redact
function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  return { name, message, stack, code: 'code' in error ? error.code : undefined, cause: loggable(cause) }
}
// #endregion redact
const leaky = Object.assign(new Error('status 500'), { code: 'E', config: { headers: token.headers } })
assert.ok(!JSON.stringify(loggable(leaky)).includes(token.accessToken))
assert.ok(JSON.stringify(loggable(leaky)).includes('status 500'))

// #region observe
const outcomes = new Map<string, number>()
const observed = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  observe: event => {
    const outcome = event.type === 'jwt_refusal' ? event.reason : event.outcome
    const name = `${event.type} ${outcome}`
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
  },
})
// #endregion observe
await Promise.all([observed.getToken(), observed.getToken(), observed.getToken()])
await observed.getToken()
assert.deepEqual(
  [...outcomes],
  [
    ['discovery discovered', 1],
    ['token_request issued', 1],
  ],
)
assert.deepEqual(observed.cacheStatistics, { entries: 1, evictions: 0, hits: 1, misses: 3, stale: 0 })
console.log('the snippets of docs/library.md did what the page says')

await broker.close()
await observed.close()
await ofOtherServer.close()
api.close()
api.closeAllConnections()
