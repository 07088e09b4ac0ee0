import { answerJson, startRecordingServer } from '@broker/testing'
import { expect, test } from 'vitest'
import { version } from '../../src/shared/version.ts'
import { TokenBroker } from '../../src/token-broker.ts'

/** An issuer that answers everything, and remembers the headers of what it was asked. */
async function startIssuer() {
  const server = await startRecordingServer((request, response) => {
    const { url } = server
    if (request.path.endsWith('openid-configuration')) {
      const endpoints = { token_endpoint: `${url}/token`, jwks_uri: `${url}/keys` }
      answerJson({ issuer: url, ...endpoints })(request, response)
    } else {
      answerJson(request.path === '/keys' ? { keys: [] } : { access_token: 't', token_type: 'bearer' })(
        request,
        response,
      )
    }
  })
  return server
}

test.each([
  [undefined, `broker-core/${version}`],
  ['shop/1.2', 'shop/1.2'],
])('every request to Dex says who sends it: %s', async (userAgent, expected) => {
  await using server = await startIssuer()
  const broker = new TokenBroker({ issuer: server.url, gate: {}, ...(userAgent && { userAgent }) })
  await broker.getToken({ clientId: 'reports', clientSecret: 's' })
  // Starts to load the key set.
  broker.missing()
  await expect
    .poll(() => server.requests.map(({ path }) => path).sort())
    .toEqual(['/.well-known/openid-configuration', '/keys', '/token'])
  await broker.close()
  for (const { headers } of server.requests) {
    expect(headers['user-agent']).toBe(expected)
    // A coding is decoded all the same, but a cheap answer needs none.
    expect(headers['accept-encoding']).toBe('identity')
  }
  // The API server of Kubernetes answers 406 to the second type alone.
  const accepted = Object.fromEntries(server.requests.map(({ path, headers }) => [path, headers.accept]))
  expect(accepted).toEqual({
    '/.well-known/openid-configuration': 'application/json',
    '/keys': 'application/jwk-set+json, application/json',
    '/token': 'application/json',
  })
})
