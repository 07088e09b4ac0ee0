import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { TokenBroker } from '../../src/token-broker.ts'

const client = { clientId: 'reports', clientSecret: 'reports-secret' }
const { privateKey, publicKey } = await generateKeyPair('RS256')
const signingKey: JWK = { ...(await exportJWK(publicKey)), use: 'sig', kid: 'k1' }
const encryptionKey: JWK = { ...(await exportJWK(publicKey)), use: 'enc', alg: 'RSA-OAEP', kid: 'k2' }
const certificate = { x5t: 'dGh1bWI', x5c: ['MIIC'] }

/** A server with the paths of a product: where its issuer, discovery document, key set and token endpoint are. */
const shapes = {
  Auth0: {
    issuerPath: '/',
    discovery: '/.well-known/openid-configuration',
    token: '/oauth/token',
    keys: '/.well-known/jwks.json',
    keySet: [{ ...signingKey, ...certificate, alg: 'RS256' }],
    more: { mfa_challenge_endpoint: 'https://tenant.example.com/mfa/challenge' },
  },
  Keycloak: {
    issuerPath: '/realms/shop',
    discovery: '/realms/shop/.well-known/openid-configuration',
    token: '/realms/shop/protocol/openid-connect/token',
    keys: '/realms/shop/protocol/openid-connect/certs',
    keySet: [
      { ...encryptionKey, ...certificate },
      { ...signingKey, ...certificate, alg: 'RS256', 'x5t#S256': 'dGh1bWI' },
    ],
    more: { mtls_endpoint_aliases: { token_endpoint: 'https://mtls.example.com/token' } },
  },
  // Entra's keys have no `alg`.
  Entra: {
    issuerPath: '/tenant/v2.0',
    discovery: '/tenant/v2.0/.well-known/openid-configuration',
    token: '/tenant/oauth2/v2.0/token',
    keys: '/tenant/discovery/v2.0/keys',
    keySet: [{ ...signingKey, ...certificate, issuer: 'https://login.example.com/tenant/v2.0' }],
    more: { tenant_region_scope: 'EU', cloud_instance_name: 'example.com' },
  },
} as const

test.each(Object.entries(shapes))(
  'a broker works with the issuer, endpoints and keys of %s',
  async (_, shape) => {
    const paths: string[] = []
    const server = createServer((request, response) => {
      const { url = '' } = request
      paths.push(url)
      const documents: Record<string, object> = {
        [shape.discovery]: {
          issuer,
          token_endpoint: origin + shape.token,
          jwks_uri: origin + shape.keys,
          grant_types_supported: ['client_credentials'],
          ...shape.more,
        },
        [shape.keys]: { keys: shape.keySet },
        [shape.token]: { access_token: jwt, token_type: 'Bearer', expires_in: 3599 },
      }
      const document = documents[url]
      response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(document ?? { error: 'not_found' }))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const issuer = origin + shape.issuerPath
    const jwt = await new SignJWT({ scope: 'read' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setSubject('reports@clients')
      .setAudience('https://orders.example.com')
      .setExpirationTime('1h')
      .sign(privateKey)
    {
      await using broker = new TokenBroker({
        issuer,
        client,
        gate: { audience: 'https://orders.example.com' },
      })
      const token = await broker.getToken()
      expect((await broker.verify(token.accessToken)).subject).toBe('reports@clients')
    }
    expect(new Set(paths)).toEqual(new Set([shape.discovery, shape.token, shape.keys]))
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  },
)
