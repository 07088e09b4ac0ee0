import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { ClientAuthentication } from '../../src/clients/client-authentication.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import type { TransportRequest } from '../../src/shared/http/transport.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { startAuthorizationServer } from './authorization-server.ts'

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  EdDSA: generateKeyPairSync('ed25519').privateKey,
} as const
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString()
const jwkText = (key: KeyObject, more: object = {}) =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })
const registered = (key: KeyObject, more: object = {}) => ({
  client_id: 'orders',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...createPublicKey(key).export({ format: 'jwk' }), use: 'sig', ...more }] },
})

/** A broker with the client `orders`, and the forms that it sends. */
function brokerFor(
  issuer: string,
  authentication: ClientAuthentication,
  options: Partial<TokenBrokerOptions> = {},
) {
  const forms: URLSearchParams[] = []
  const log = new RecordingLogger()
  const broker = new TokenBroker({
    issuer,
    client: { clientId: 'orders', authentication },
    logger: log,
    transport: (url: string, request: TransportRequest) => {
      if (request.method === 'POST') forms.push(new URLSearchParams(String(request.body)))
      return fetch(url, request as RequestInit) as never
    },
    ...options,
  })
  return { broker, forms, log, [Symbol.asyncDispose]: () => broker.close() }
}

function assertionIn(form: URLSearchParams | undefined) {
  const [header = '', claims = ''] = (form?.get('client_assertion') ?? '').split('.')
  const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: decoded(header), claims: decoded(claims) }
}

test.each([
  ['RS256', keys.RS256, undefined],
  ['PS256', keys.RS256, 'PS256'],
  ['ES256', keys.ES256, undefined],
  ['ES384', keys.ES384, undefined],
  ['EdDSA', keys.EdDSA, undefined],
  ['Ed25519', keys.EdDSA, 'Ed25519'],
] as const)('oidc-provider accepts an assertion that is signed with %s', async (alg, key, algorithm) => {
  await using server = await startAuthorizationServer(registered(key, { kid: 'k1' }))
  await using sender = brokerFor(server.issuer, {
    method: 'private_key_jwt',
    key,
    keyId: 'k1',
    ...(algorithm && { algorithm }),
  })
  const { accessToken } = await sender.broker.getToken()
  expect(accessToken).not.toBe('')
  const [form] = sender.forms
  const { header, claims } = assertionIn(form)
  expect(header).toEqual({ alg, typ: 'JWT', kid: 'k1' })
  expect(claims).toEqual({
    iss: 'orders',
    sub: 'orders',
    aud: server.issuer,
    iat: expect.any(Number),
    exp: claims.iat + 60,
    jti: expect.stringMatching(/^[\da-f-]{36}$/),
  })
  expect(Object.fromEntries(form ?? [])).toEqual({
    grant_type: 'client_credentials',
    client_id: 'orders',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: expect.any(String),
  })
})

test.each([
  ['PEM', pem(keys.ES256)],
  ['a JWK', jwkText(keys.ES256, { alg: 'ES256' })],
  ['a function', async () => keys.ES256],
])('the key may be %s', async (_, key) => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key })
  await sender.broker.getToken()
  expect(server.tokenRequests()).toBe(1)
})

test('kid and alg of a JWK are in the header', async () => {
  await using server = await startAuthorizationServer(registered(keys.RS256, { kid: 'k9' }))
  const key = jwkText(keys.RS256, { kid: 'k9', alg: 'PS256' })
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key })
  await sender.broker.getToken()
  expect(assertionIn(sender.forms[0]).header).toEqual({ alg: 'PS256', typ: 'JWT', kid: 'k9' })
})

test('each request has its own jti, and a cached token needs none', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key: keys.ES256 })
  await sender.broker.getToken()
  const token = await sender.broker.getToken()
  const [first] = sender.forms
  expect(sender.forms).toHaveLength(1)
  sender.broker.invalidate(token)
  await sender.broker.getToken()
  expect(sender.forms).toHaveLength(2)
  expect(assertionIn(sender.forms[1]).claims.jti).not.toBe(assertionIn(first).claims.jti)
})

test('oidc-provider refuses an assertion that it has seen, as the broker never sends one', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key: keys.ES256 })
  await sender.broker.getToken()
  const replay = await fetch(`${server.issuer}/token`, { method: 'POST', body: sender.forms[0] as never })
  expect(await replay.json()).toMatchObject({ error: 'invalid_client' })
})

test('a retry has another assertion than the attempt that failed', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  let failures = 1
  const forms: string[] = []
  await using broker = new TokenBroker({
    issuer: server.issuer,
    client: { clientId: 'orders', authentication: { method: 'private_key_jwt', key: keys.ES256 } },
    transport: async (url, request) => {
      const response = await fetch(url, request as RequestInit)
      if (request.method !== 'POST') return response as never
      forms.push(String(request.body))
      // The server has used the jti, and its answer is lost.
      if (failures-- > 0) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      return response as never
    },
  })
  await broker.getToken()
  expect(new Set(forms).size).toBe(2)
  expect(server.tokenRequests()).toBe(2)
})

test('a key function is asked again when the server refuses the key, within the same request', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  const calls: boolean[] = []
  let key = keys.ES256
  await using sender = brokerFor(server.issuer, {
    method: 'private_key_jwt',
    key: ({ isRefused }) => {
      calls.push(isRefused)
      return key
    },
  })
  const token = await sender.broker.getToken()
  server.register(registered(other))
  key = other
  // The token of the old key stays in use.
  expect((await sender.broker.getToken()).accessToken).toBe(token.accessToken)
  expect(server.tokenRequests()).toBe(1)
  sender.broker.invalidate(token)
  await sender.broker.getToken()
  expect(server.tokenRequests()).toBe(3)
  expect(calls).toEqual([false, true])
})

test('a token outlives another key in the options, and the previous key is sent while the server does not know the new one', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  const optionsWith = (key: KeyObject) =>
    ({
      issuer: server.issuer,
      client: { clientId: 'orders', authentication: { method: 'private_key_jwt', key } },
    }) as const
  await using broker = new TokenBroker(optionsWith(keys.ES256))
  const token = await broker.getToken()
  broker.reconfigure(optionsWith(other))
  expect((await broker.getToken()).accessToken).toBe(token.accessToken)
  expect(server.tokenRequests()).toBe(1)
  broker.invalidate(token)
  await broker.getToken()
  expect(server.tokenRequests()).toBe(3)
})

test('a function signs each assertion, and gets the complete claims', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  const { SignJWT } = await import('jose')
  await using sender = brokerFor(server.issuer, {
    method: 'private_key_jwt',
    sign: ({ claims }) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(keys.ES256),
  })
  const token = await sender.broker.getToken()
  sender.broker.invalidate(token)
  await sender.broker.getToken()
  expect(server.tokenRequests()).toBe(2)
})

test.each([
  ['throws', () => Promise.reject(new Error('the vault is sealed')), 'it failed: the vault is sealed'],
  ['returns no JWT', () => 'rubbish', 'its result is not a JWT'],
  ['returns nothing', () => undefined as never, 'its result is not a string'],
  ['hangs', () => new Promise<string>(() => {}), 'no result within 50 ms'],
])('a signer that %s is a failure of the configuration, not of the caller', async (_, sign, detail) => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', sign }, { requestTimeoutMs: 50 })
  // Discovery has the same short timeout.
  const failure = await failureOf(sender.broker.getToken())
  expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', status: 503 })
  expect(failure.hint).toEqual({
    problem: 'secret_unavailable',
    option: 'client.authentication.sign',
    detail,
  })
  expect(server.tokenRequests()).toBe(0)
  expect(sender.log.lines.some(line => JSON.stringify(line).includes(detail))).toBe(true)
  // The circuit of the server stays closed.
  expect(sender.broker.status().issuers[0]?.tokenEndpoint?.circuits.accepted.state).toBe('closed')
})

test('a key that the server does not know is a misconfigured client, with the option to check', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key: other })
  const failure = await failureOf(sender.broker.getToken())
  expect(failure).toMatchObject({
    code: 'client_misconfigured',
    hint: { problem: 'authentication_rejected', option: 'client.authentication' },
  })
  const logged = JSON.stringify(sender.log.lines)
  for (const form of sender.forms) expect(logged).not.toContain(form.get('client_assertion')?.split('.')[2])
  expect(logged).not.toContain(pem(other).split('\n')[1])
})

test('the assertion has the time of the injected clock, so that a wrong clock is refused', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  const clock = new ManualClock()
  await using sender = brokerFor(
    server.issuer,
    { method: 'private_key_jwt', key: keys.ES256 },
    { clock, negativeCacheTtlMs: 0 },
  )
  const skewed = Date.now() - 600_000 - clock.wall()
  clock.advance(skewed)
  expect((await failureOf(sender.broker.getToken())).code).toBe('client_misconfigured')
  expect(assertionIn(sender.forms[0]).claims.iat).toBe(Math.floor(clock.wall() / 1000))
  clock.advance(600_000)
  expect((await sender.broker.getToken()).accessToken).not.toBe('')
})

test('audience replaces the issuer, and without an issuer it is the token endpoint', async () => {
  await using server = await startAuthorizationServer(registered(keys.ES256))
  const tokenEndpoint = `${server.issuer}/token`
  const at = { issuer: undefined, tokenEndpoint }
  const key = keys.ES256
  await using unnamed = brokerFor(server.issuer, { method: 'private_key_jwt', key }, at)
  await unnamed.broker.getToken().catch(() => {})
  expect(assertionIn(unnamed.forms[0]).claims.aud).toBe(tokenEndpoint)
  await using named = brokerFor(
    server.issuer,
    { method: 'private_key_jwt', key, audience: server.issuer },
    at,
  )
  await named.broker.getToken()
  expect(assertionIn(named.forms[0]).claims.aud).toBe(server.issuer)
})

test.each(['client_secret_basic', 'client_secret_post'] as const)(
  'oidc-provider accepts %s as authentication of a client',
  async method => {
    const client = {
      client_id: 'orders',
      client_secret: 'p@ss:w%rd +&=/',
      token_endpoint_auth_method: method,
    }
    await using server = await startAuthorizationServer(client)
    await using broker = new TokenBroker({
      issuer: server.issuer,
      client: { clientId: 'orders', clientSecret: client.client_secret, authentication: { method } },
    })
    await broker.getToken()
    expect(server.tokenRequests()).toBe(1)
  },
)

test('a request that brings credentials uses them whole, by clientAuthMethod', async () => {
  const own = {
    client_id: 'billing',
    client_secret: 'own',
    token_endpoint_auth_method: 'client_secret_basic',
  }
  await using server = await startAuthorizationServer(registered(keys.ES256), own)
  await using sender = brokerFor(server.issuer, { method: 'private_key_jwt', key: keys.ES256 })
  await sender.broker.getToken({ clientId: 'billing', clientSecret: 'own' })
  expect(sender.forms[0]?.has('client_assertion')).toBe(false)
  for (const half of [{ clientId: 'orders' }, { clientSecret: randomUUID() }]) {
    expect((await failureOf(sender.broker.getToken(half))).code).toBe('missing_credentials')
  }
  expect(server.tokenRequests()).toBe(1)
})

test('a description that repeats a part of the assertion is not logged', async () => {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const [, claims] = (
      new URLSearchParams(Buffer.concat(chunks).toString()).get('client_assertion') ?? ''
    ).split('.')
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'invalid_client', error_description: `bad claims ${claims}` }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const tokenEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  await using sender = brokerFor(
    '',
    { method: 'private_key_jwt', key: keys.ES256 },
    { issuer: undefined, tokenEndpoint },
  )
  const failure = await failureOf(sender.broker.getToken())
  server.close()
  expect(failure).toMatchObject({ code: 'client_misconfigured', oauthErrorDescription: undefined })
  expect(JSON.stringify(sender.log.lines)).not.toContain('bad claims')
})
