import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDevDex } from '@broker/dev-dex'
import {
  brokerCommand,
  envoyBootstrap,
  findEnvoy,
  listeningPorts,
  ManagedProcess,
  startEnvoy,
} from '@broker/testing'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const envoyBinary = await findEnvoy()
if (envoyBinary.path === undefined) {
  console.log(`skipped: ${envoyBinary.reason}`)
  // One that was named and does not run is a mistake.
  process.exit(process.env['ENVOY_BIN'] ? 1 : 0)
}

await using dex = await startDevDex({
  clients: [
    { id: 'reports', secret: 'reports-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
  ],
})

// An API that accepts Dex's tokens for the client `reports`.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const received: IncomingHttpHeaders[] = []
const api = createServer(async (request, response) => {
  received.push(request.headers)
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'reports' }).catch(
    () => undefined,
  )
  response.writeHead(accepted ? 200 : 401).end(accepted ? 'three orders' : 'no')
})
await once(api.listen(0, '127.0.0.1'), 'listening')

try {
  // #region set-up
  await using broker = new ManagedProcess('the broker', process.execPath, [brokerCommand], {
    env: {
      DEX_ISSUER: dex.issuer, // https://dex.example.com/dex
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      UPSTREAM_TOKEN_HEADERS: 'access_token:x-access-token',
    },
  })
  // #endregion set-up
  const ports = await broker.until('it listened', () => listeningPorts(broker.log))
  // The configuration that is shipped; only addresses differ.
  const bootstrap = envoyBootstrap({
    brokers: [ports],
    backendPort: (api.address() as AddressInfo).port,
    listeners: { ingress: () => {} },
  })
  await using envoy = await startEnvoy(envoyBinary.path, bootstrap)
  const envoyUrl = `http://127.0.0.1:${envoy.port('ingress')}`

  const refused = await fetch(`${envoyUrl}/orders`)
  assert.equal(refused.status, 401)
  assert.match(await refused.text(), /missing_credentials/)
  assert.equal(received.length, 0)

  for (let calls = 0; calls < 3; calls++) {
    const orders = await fetch(`${envoyUrl}/orders`, {
      headers: { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret', 'x-access-token': 'forged' },
    })
    assert.equal(await orders.text(), 'three orders')
  }
  for (const headers of received) {
    assert.equal(headers['x-client-secret'], undefined)
    assert.notEqual(headers['x-access-token'], 'forged')
  }
  assert.equal(dex.counts.tokenRequests, 1)
  console.log('Envoy let 3 requests pass with 1 token request; no secret and nothing forged reached the API')
} finally {
  api.close()
  api.closeAllConnections()
}
