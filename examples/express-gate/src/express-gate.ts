import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDevDex } from '@broker/dev-dex'

await using dex = await startDevDex()
const { issuer } = dex

// #region set-up
import { TokenBroker } from '@broker/core'
import { authOf, brokerErrorHandler, requireClaims, requireJwt } from '@broker/express-adapter'
import express from 'express'

const broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  gate: { audience: 'orders' },
})
const isAuditor = requireClaims(({ groups }) => Array.isArray(groups) && groups.includes('auditors'))

const app = express()
app.use(requireJwt(broker))
app.get('/me', (request, response) => void response.json(authOf(request).claims))
app.get('/audit', isAuditor, (_request, response) => void response.send('the audit log'))
app.use(brokerErrorHandler())
// #endregion set-up
const tenants = express()
app.use('/tenants', tenants)

// #region typed
import type { JwtClaims } from '@broker/core'

interface TenantClaims extends JwtClaims {
  readonly tenant: string
}
const ofTenant = requireClaims((claims): claims is TenantClaims => typeof claims['tenant'] === 'string')

tenants.get('/name', ofTenant, (request, response) => {
  const { tenant } = ofTenant.authOf(request).claims
  response.send(tenant.toUpperCase())
})
// #endregion typed
tenants.use(brokerErrorHandler())
const server = createServer(app)
await once(server.listen(0, '127.0.0.1'), 'listening')

const exp = Math.floor(Date.now() / 1000) + 3600
const ada = dex.signJwt({ iss: issuer, aud: 'orders', sub: 'ada', groups: ['auditors'], exp })
const bob = dex.signJwt({ iss: issuer, aud: 'orders', sub: 'bob', groups: ['staff'], exp })
const eva = dex.signJwt({ iss: issuer, aud: 'orders', sub: 'eva', tenant: 'blue', exp })
const elsewhere = dex.signJwt({ iss: issuer, aud: 'billing', sub: 'eve', groups: ['auditors'], exp })

assert.equal((await ask('/me')).status, 401)
assert.equal((await ask('/me', elsewhere)).status, 401)
assert.equal((await ask('/me', `${bob.slice(0, -4)}AAAA`)).status, 401)
assert.match((await ask('/me', bob)).text, /"sub":"bob"/)
assert.deepEqual(await ask('/audit', ada), { status: 200, challenge: null, text: 'the audit log' })
const refused = await ask('/audit', bob)
assert.equal(refused.status, 403)
assert.equal(refused.challenge, 'Bearer realm="dex-token-broker", error="insufficient_scope"')
assert.equal((await ask('/tenants/name', eva)).text, 'BLUE')
assert.equal((await ask('/tenants/name', bob)).status, 403)
assert.equal(dex.counts.keysRequests, 1)
console.log(
  'ada reads the audit log, bob gets 403, everybody without an acceptable JWT 401; the keys were fetched once',
)

await broker.close()
server.close()
server.closeAllConnections()

async function ask(
  path: string,
  jwt?: string,
): Promise<{ status: number; challenge: string | null; text: string }> {
  const headers = jwt === undefined ? {} : { authorization: `Bearer ${jwt}` }
  const response = await fetch(urlOf(server) + path, { headers })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    text: await response.text(),
  }
}

function urlOf(listening: Server): string {
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}
