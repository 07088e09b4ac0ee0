import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { errors, Provider } from 'oidc-provider'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf } from '../broker-with-dex.ts'

const orders = 'https://orders.example.com/'
const billing = 'urn:example:billing'
const client = { clientId: 'reports', clientSecret: 'reports-secret' }

/** oidc-provider with resource indicators (RFC 8707), a path in its issuer and a slash at the end, as Auth0 has it. */
async function startProvider(issuerPath = '') {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${issuerPath}`
  let tokens = 0
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_: unknown, resource: string) => {
          if (resource !== orders && resource !== billing) throw new errors.InvalidTarget()
          return { scope: 'read write', audience: resource, accessTokenFormat: 'jwt' }
        },
      },
    },
  })
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (request.url === '/token') tokens++
    handle(request, response)
  })
  return {
    issuer,
    get tokenRequests() {
      return tokens
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('resource indicators at oidc-provider', () => {
  test('lead to a token for the resource, one per resource and scope', async () => {
    await using provider = await startProvider()
    await using broker = new TokenBroker({ issuer: provider.issuer, client: { ...client, resource: orders } })
    const token = await broker.getToken({ scope: 'read' })
    expect(decodeJwt(token.accessToken)).toMatchObject({ aud: orders, scope: 'read' })
    expect(await broker.getToken({ scope: 'read', resource: [orders] })).toBe(token)
    const other = await broker.getToken({ scope: 'read', resource: billing })
    expect(decodeJwt(other.accessToken)).toMatchObject({ aud: billing })
    expect(provider.tokenRequests).toBe(2)
  })

  test('that the server does not know are the operator’s fault, with a hint', async () => {
    await using provider = await startProvider()
    const resource = 'https://unknown.example.com/'
    await using broker = new TokenBroker({
      issuer: provider.issuer,
      client,
      clients: { shop: { ...client, resource } },
    })
    expect(await failureOf(broker.getToken({ client: 'shop' }))).toMatchObject({
      code: 'client_misconfigured',
      oauthError: 'invalid_target',
      hint: { problem: 'resource_rejected', option: 'clients.shop.resource' },
    })
  })

  test('go with outgoing calls', async () => {
    await using provider = await startProvider()
    await using broker = new TokenBroker({ issuer: provider.issuer, client })
    const seen: string[] = []
    const fetchOrders = createFetch(broker, {
      allow: ['https://orders.example.com'],
      token: { resource: [orders], scope: 'write' },
      fetch: async (_, init) => {
        seen.push(new Headers(init?.headers).get('authorization') ?? '')
        return new Response()
      },
    })
    await fetchOrders('https://orders.example.com/1')
    expect(decodeJwt(seen[0]?.slice('Bearer '.length) ?? '')).toMatchObject({ aud: orders, scope: 'write' })
  })
})
