import { X509Certificate } from 'node:crypto'
import { createCertificateAuthority, type TlsIdentity } from '@broker/testing'
import { Agent } from 'undici'
import { expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { undiciTransport } from '../../src/undici/undici-transport.ts'
import { failureOf } from '../broker-with-dex.ts'
import { type MutualTlsServer, startMutualTlsServer } from './authorization-server.ts'

const byCa = {
  client_id: 'orders',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'orders-service',
}
const selfSigned = (cert: string) => ({
  client_id: 'orders',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  jwks: {
    keys: [
      {
        ...new X509Certificate(cert).publicKey.export({ format: 'jwk' }),
        x5c: [new X509Certificate(cert).raw.toString('base64')],
      },
    ],
  },
})

/** A broker whose connections present a certificate, and the bodies of its token requests. */
function brokerFor(
  server: MutualTlsServer,
  identity: TlsIdentity | undefined,
  method: 'tls_client_auth' | 'self_signed_tls_client_auth',
  options: Partial<TokenBrokerOptions> = {},
) {
  const agent = new Agent({ connect: { ca: server.ca.cert, ...identity } })
  const send = undiciTransport(agent)
  const sent: { url: string; body: string | undefined }[] = []
  const broker = new TokenBroker({
    issuer: server.issuer,
    client: { clientId: 'orders', authentication: { method } },
    transport: (url, request) => {
      if (request.method === 'POST') sent.push({ url, body: request.body })
      return send(url, request)
    },
    ...options,
  })
  return {
    broker,
    sent,
    async [Symbol.asyncDispose]() {
      await broker.close()
      await agent.destroy()
    },
  }
}

test('oidc-provider knows a client by the certificate of a CA, at the alias of its token endpoint', async () => {
  await using server = await startMutualTlsServer(byCa)
  const identity = server.ca.issueFor({ subject: 'orders-service' })
  await using sender = brokerFor(server, identity, 'tls_client_auth')
  await sender.broker.getToken()
  await sender.broker.getToken()
  expect({ all: server.tokenRequests(), alias: server.aliasRequests() }).toEqual({ all: 1, alias: 1 })
  expect(sender.sent[0]?.body).toBe('grant_type=client_credentials&client_id=orders')
  const [own] = sender.broker.status().issuers
  expect(own?.mtlsTokenEndpoint?.url).toBe(sender.sent[0]?.url)
  expect(own?.tokenEndpoint?.url).toBe(`${server.issuer}/token`)
})

test('oidc-provider knows a client by its self-signed certificate', async () => {
  const identity = createCertificateAuthority().issueFor({ subject: 'orders' })
  await using server = await startMutualTlsServer(selfSigned(identity.cert))
  await using sender = brokerFor(server, identity, 'self_signed_tls_client_auth')
  await sender.broker.getToken()
  expect(server.aliasRequests()).toBe(1)
})

test.each([
  ['none', undefined],
  ['another', 'billing-service'],
])('with %s certificate the client is misconfigured', async (_, subject) => {
  await using server = await startMutualTlsServer(byCa)
  const identity = subject === undefined ? undefined : server.ca.issueFor({ subject })
  await using sender = brokerFor(server, identity, 'tls_client_auth')
  expect(await failureOf(sender.broker.getToken())).toMatchObject({
    code: 'client_misconfigured',
    hint: { problem: 'authentication_rejected', option: 'client.authentication' },
  })
})

test('clients with a secret stay at the token endpoint, beside clients with a certificate', async () => {
  const billing = {
    client_id: 'billing',
    client_secret: 'billing-secret',
    token_endpoint_auth_method: 'client_secret_basic',
  }
  await using server = await startMutualTlsServer(byCa, billing)
  const identity = server.ca.issueFor({ subject: 'orders-service' })
  await using sender = brokerFor(server, identity, 'tls_client_auth', {
    clients: { billing: { clientId: 'billing', clientSecret: 'billing-secret' } },
  })
  await sender.broker.getToken({ client: 'billing' })
  expect({ all: server.tokenRequests(), alias: server.aliasRequests() }).toEqual({ all: 1, alias: 0 })
  await sender.broker.getToken()
  expect({ all: server.tokenRequests(), alias: server.aliasRequests() }).toEqual({ all: 2, alias: 1 })
})

test('tokenEndpoint overrides the alias', async () => {
  await using server = await startMutualTlsServer(byCa)
  const identity = server.ca.issueFor({ subject: 'orders-service' })
  const tokenEndpoint = `${server.issuer}/token`
  await using sender = brokerFor(server, identity, 'tls_client_auth', { tokenEndpoint })
  // It does not ask for a certificate.
  expect((await failureOf(sender.broker.getToken())).code).toBe('client_misconfigured')
  expect({ all: server.tokenRequests(), alias: server.aliasRequests() }).toEqual({ all: 1, alias: 0 })
})
