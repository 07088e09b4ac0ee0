import assert from 'node:assert/strict'
import { BrokerError } from '../../../packages/core/src/shared/errors.ts'
import type { Transport } from '../../../packages/core/src/shared/http/transport.ts'
import { TokenBroker } from '../../../packages/core/src/token-broker.ts'
import { assertExpected } from '../expected-error.ts'
import { secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

const issuer = 'https://dex.example/dex'
const document = {
  issuer,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  grant_types_supported: ['authorization_code', 'client_credentials'],
}
const token = { access_token: 'x', token_type: 'bearer', expires_in: 60 }

/** Discovery documents. The secret goes to the endpoint that the document names or nowhere, and never to one over plain HTTP. */
export const discoveryTarget: Target = {
  name: 'discovery-document',
  isJson: true,
  seeds: [
    document,
    { ...document, token_endpoint: 'http://127.0.0.1:5556/token' },
    { ...document, grant_types_supported: ['authorization_code'] },
    { ...document, token_endpoint: 'https://user:pass@dex.example/token' },
    { ...document, issuer: `${issuer}/` },
  ].map(each => JSON.stringify(each)),
  dictionary: [
    'http://',
    'https://',
    'http://10.0.0.1/',
    '#',
    '@',
    '\\t',
    'javascript:',
    'http://localhost.evil/',
    '"token_endpoint":',
  ],
  sources: [
    'packages/core/src/issuer/issuer-metadata.ts',
    'packages/core/src/shared/http/endpoint-url.ts',
    'packages/core/src/issuer/plain-url-of.ts',
  ],
  async judge(input) {
    const posts: string[] = []
    const transport: Transport = async (url, { method }) => {
      if (method === 'POST') posts.push(url)
      return new Response(method === 'POST' ? JSON.stringify(token) : new Uint8Array(input))
    }
    await using broker = new TokenBroker({
      issuer,
      client: { clientId: 'reports', clientSecret: secret },
      transport,
      logger: silent,
    })
    try {
      await broker.getToken()
    } catch (error) {
      assertExpected(BrokerError.is(error), error)
      assertExpected(error.code !== 'server_error', error.cause)
      assert.deepEqual(posts, [])
      return
    }
    const named = JSON.parse(input.toString())
    assert.equal(named.issuer, issuer)
    const url = new URL(named.token_endpoint)
    assert.deepEqual(posts, [url.href])
    assert.ok(
      url.protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname),
      url.href,
    )
    assert.equal(url.username + url.password + url.hash, '')
  },
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
