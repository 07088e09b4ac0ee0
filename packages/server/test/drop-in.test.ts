import type { DevDex, SignJwtOptions } from '@broker/dev-dex'
import type { RawAnswer } from '@broker/testing'
import { until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { describeConfig } from '../src/config/describe-config.ts'
import { loadConfig } from '../src/config/load-config.ts'
import { createOwnKey, ecAlgorithms, rsaAlgorithms } from './support/own-key.ts'
import {
  type BrokerUnderTest,
  bearerOf,
  billing,
  errorOf,
  orders,
  startBroker,
  startDex,
} from './support/start-broker.ts'

// The README of the Go service DexTokenBroker, sentence by sentence: what it promises, this server keeps. Where a
// sentence is kept in more depth elsewhere, a comment says where.

const staticClient = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }
const gateOf = (dex: DevDex) => ({ ...staticClient, JWKS_URL: dex.jwksUri })
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
const withJwt = (jwt: string) => ({ headers: { authorization: `Bearer ${jwt}` } })

function checkWithJwt(
  broker: BrokerUnderTest,
  claims: object = {},
  options: SignJwtOptions = {},
): Promise<RawAnswer> {
  return broker.check(withJwt(broker.dex.signJwt({ exp: inSeconds(60), ...claims }, options)))
}

async function cacheEntries(broker: BrokerUnderTest): Promise<number> {
  const { body } = await broker.admin('/metrics')
  return Number(/^dex_token_broker_cache_entries (\d+)$/m.exec(body)?.[1])
}

describe('in short', () => {
  test('it performs client_credentials requests against Dex and returns Authorization: Bearer', async () => {
    await using broker = await startBroker()
    const answer = await broker.check({ headers: { ...orders, 'x-scope': 'openid groups' } })
    expect(bearerOf(answer)).toMatch(/^ey/)
    expect(broker.dex.tokenRequests).toHaveLength(1)
    expect(broker.dex.tokenRequests[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      form: { grant_type: 'client_credentials', scope: 'openid groups' },
    })
  })

  test('it fetches or reuses a token: the cache answers the second check', async () => {
    await using broker = await startBroker()
    const first = bearerOf(await broker.check({ headers: orders }))
    expect(bearerOf(await broker.check({ headers: orders }))).toBe(first)
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('without a scope none is asked for', async () => {
    await using broker = await startBroker()
    bearerOf(await broker.check({ headers: orders }))
    expect(broker.dex.tokenRequests[0]?.form).not.toHaveProperty('scope')
  })

  test('it caches a token until shortly before expiry', async () => {
    // Dex says that 299 of the 300 seconds are left, of which the margin takes 30.
    await using broker = await startBroker(
      { REFRESH_AHEAD_RATIO: '1' },
      { idTokensMs: 300_000, byManualClock: true },
    )
    const first = bearerOf(await broker.check({ headers: orders }))
    broker.clock.advance(268_999)
    expect(bearerOf(await broker.check({ headers: orders }))).toBe(first)
    broker.clock.advance(1)
    expect(bearerOf(await broker.check({ headers: orders }))).not.toBe(first)
    expect(broker.dex.counts.tokenRequests).toBe(2)
  })

  test('it is stateless: each instance has a cache of its own, and they need nothing of each other', async () => {
    await using one = await startBroker()
    await using other = await startBroker({ DEX_TOKEN_URL: one.dex.tokenEndpoint })
    const tokens = [await one.check({ headers: orders }), await other.check({ headers: orders })].map(
      answer => bearerOf(answer),
    )
    expect(new Set(tokens).size).toBe(2)
    expect(one.dex.counts.tokenRequests).toBe(2)
  })
})

describe('environment variables', () => {
  // The defaults of new variables are in config/reference.test.ts, and starting with all of the Go service's
  // variables set in command.test.ts.
  test("have the Go service's defaults", () => {
    const effective = describeConfig(loadConfig({})).split('\n')
    for (const line of [
      'LISTEN_ADDR=:8080',
      'DEX_TOKEN_URL=https://dex.dex.svc.cluster.local/token',
      'HTTP_TIMEOUT=5s',
      'CACHE_CLEANUP_INTERVAL=5m',
      'EXPIRY_SAFETY_MARGIN=30s',
      'CACHE_MAX_ENTRIES=1024',
      'ALLOW_INSECURE_DEX_URL=false',
      'LOG_LEVEL=INFO',
      'SHUTDOWN_TIMEOUT=10s',
      'UPSTREAM_AUTH_HEADER=authorization',
      'UPSTREAM_TOKEN_HEADERS=',
      'CLIENT_ID_HEADER=x-client-id',
      'CLIENT_SECRET_HEADER=x-client-secret',
      'SCOPE_HEADER=x-scope',
      'STATIC_CLIENT_ID=',
      'STATIC_CLIENT_SECRET=',
      'STATIC_SCOPE=',
      'JWKS_URL=',
      'JWT_ISSUER=',
      'JWT_AUDIENCE=',
    ]) {
      expect(effective).toContain(line)
    }
    expect(loadConfig({ JWKS_URL: 'https://x/keys', STATIC_CLIENT_ID: 'x' }).broker.gate?.jwtHeader).toBe(
      'authorization',
    )
  })

  // LISTEN_ADDR: start-server.test.ts. DEX_TOKEN_URL: every test. LOG_LEVEL: command.test.ts.
  // SHUTDOWN_TIMEOUT: graceful-stop.test.ts. ALLOW_INSECURE_DEX_URL: the security notes below.

  test('HTTP_TIMEOUT bounds a token request', async () => {
    await using broker = await startBroker({ HTTP_TIMEOUT: '200ms' })
    await using patient = await startBroker({ HTTP_TIMEOUT: '3s' })
    for (const { dex } of [broker, patient]) dex.setFault('token', { kind: 'hang' })
    const order: string[] = []
    const statuses = await Promise.all(
      Object.entries({ patient, broker }).map(async ([name, { check }]) => {
        const { status } = await check({ headers: orders })
        order.push(name)
        return status
      }),
    )
    expect(statuses).toEqual([503, 503])
    expect(order).toEqual(['broker', 'patient'])
  })

  test('CACHE_MAX_ENTRIES=0 disables caching', async () => {
    await using broker = await startBroker({ CACHE_MAX_ENTRIES: '0' })
    const first = bearerOf(await broker.check({ headers: orders }))
    expect(bearerOf(await broker.check({ headers: orders }))).not.toBe(first)
    expect(broker.dex.counts.tokenRequests).toBe(2)
    expect(await cacheEntries(broker)).toBe(0)
  })

  test('UPSTREAM_AUTH_HEADER is the header that is returned', async () => {
    await using broker = await startBroker({ UPSTREAM_AUTH_HEADER: 'X-Upstream-Auth' })
    const answer = await broker.check({ headers: orders })
    bearerOf(answer, 'x-upstream-auth')
    expect(answer.header('authorization')).toBeUndefined()
  })

  test('CLIENT_ID_HEADER, CLIENT_SECRET_HEADER and SCOPE_HEADER change the names; the old ones mean nothing', async () => {
    await using broker = await startBroker({
      CLIENT_ID_HEADER: 'X-App-Id',
      CLIENT_SECRET_HEADER: 'X-App-Secret',
      SCOPE_HEADER: 'X-App-Scope',
    })
    const headers = { 'x-app-id': 'orders', 'X-APP-SECRET': 'orders-secret', 'x-app-scope': 'email' }
    bearerOf(await broker.check({ headers: { ...headers, ...billing, 'x-scope': 'openid' } }))
    expect(broker.dex.tokenRequests[0]?.form['scope']).toBe('email')
    expect(errorOf(await broker.check({ headers: orders }))).toBe('missing_credentials')
  })

  test('STATIC_CLIENT_ID, STATIC_CLIENT_SECRET and STATIC_SCOPE override the headers', async () => {
    await using broker = await startBroker({ ...staticClient, STATIC_SCOPE: 'openid email profile groups' })
    const bare = bearerOf(await broker.check())
    const wrong = { 'x-client-id': 'nobody', 'x-client-secret': 'nothing', 'x-scope': 'nonsense' }
    expect(bearerOf(await broker.check({ headers: wrong }))).toBe(bare)
    expect(broker.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual(['openid email profile groups'])
  })

  test('each of them works alone, the rest comes from the headers', async () => {
    await using fixedId = await startBroker({ STATIC_CLIENT_ID: 'orders' })
    bearerOf(await fixedId.check({ headers: { ...billing, 'x-client-secret': 'orders-secret' } }))
    expect((await fixedId.check({ headers: billing })).status).toBe(401)
    await using fixedSecret = await startBroker({ STATIC_CLIENT_SECRET: 'orders-secret' })
    bearerOf(await fixedSecret.check({ headers: { 'x-client-id': 'orders' } }))
    expect((await fixedSecret.check({ headers: billing })).status).toBe(401)
    await using fixedScope = await startBroker({ STATIC_SCOPE: 'email' })
    bearerOf(await fixedScope.check({ headers: { ...orders, 'x-scope': 'openid' } }))
    expect(fixedScope.dex.tokenRequests[0]?.form['scope']).toBe('email')
  })

  // JWKS_URL, JWT_HEADER, JWT_ISSUER, JWT_AUDIENCE: the JWT gate below. UPSTREAM_TOKEN_HEADERS: the mapping below.
})

describe('/check', () => {
  test('answers 200 with Authorization: Bearer <access_token>', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', {
      kind: 'answer',
      body: '{"access_token":"the-token","token_type":"bearer","expires_in":300}',
    })
    const answer = await broker.check({ headers: orders })
    expect([answer.status, answer.header('authorization')]).toEqual([200, 'Bearer the-token'])
  })

  test.each([
    ['no header at all', {}],
    ['no client id', { 'x-client-secret': 'orders-secret' }],
    ['no client secret', { 'x-client-id': 'orders' }],
    ['an empty client id', { ...orders, 'x-client-id': '' }],
    ['an empty client secret', { ...orders, 'x-client-secret': '' }],
    ['a scope alone', { 'x-scope': 'openid' }],
  ])('answers 401 for %s, without asking Dex', async (_, headers) => {
    await using broker = await startBroker()
    const answer = await broker.check({ headers })
    expect([answer.status, errorOf(answer)]).toEqual([401, 'missing_credentials'])
    expect(answer.header('www-authenticate')).toMatch(/^Bearer /)
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })

  test.each([
    ['a wrong secret', { ...orders, 'x-client-secret': 'wrong' }],
    ['an unknown client', { ...orders, 'x-client-id': 'nobody' }],
    ['a scope that Dex refuses', { ...orders, 'x-scope': 'offline_access' }],
  ])('answers 401 for %s', async (_, headers) => {
    await using broker = await startBroker()
    const answer = await broker.check({ headers })
    expect([answer.status, errorOf(answer)]).toEqual([401, 'token_request_rejected'])
    expect(answer.header('www-authenticate')).toMatch(/^Bearer /)
  })

  test.each([
    ['no JSON', { body: 'hello' }],
    ['HTML', { body: '<html></html>', headers: { 'Content-Type': 'text/html' } }],
    ['an empty body', { body: '' }],
    ['a JSON array', { body: '[]' }],
    ['no access_token', { body: '{"token_type":"bearer"}' }],
    ['an empty access_token', { body: '{"access_token":"","token_type":"bearer"}' }],
    ['an access_token that is no string', { body: '{"access_token":17,"token_type":"bearer"}' }],
    ['an access_token with a line break', { body: '{"access_token":"a\\r\\nb","token_type":"bearer"}' }],
    ['a token_type that is not Bearer', { body: '{"access_token":"a","token_type":"mac"}' }],
    ['a redirect', { status: 302, headers: { Location: '/elsewhere' } }],
    ['a status of its own', { status: 418 }],
    ['404', { status: 404 }],
    ['500', { status: 500 }],
  ])('answers 502 when Dex sends %s, and nothing stays of it', async (_, answer) => {
    await using broker = await startBroker({ NEGATIVE_CACHE_TTL: '0' })
    broker.dex.setFault('token', { kind: 'answer', ...answer })
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([502, 'invalid_token_response'])
    expect(refused.header('authorization')).toBeUndefined()
    broker.dex.clearFaults()
    bearerOf(await broker.check({ headers: orders }))
  })

  test('answers 502 with a hint in the log when this Dex does not have the grant', async () => {
    await using broker = await startBroker({}, { grantTypes: ['authorization_code'] })
    expect((await broker.check({ headers: orders })).status).toBe(502)
    expect(broker.log).toContainEqual(
      expect.objectContaining({ hint: expect.stringContaining('oauth2.grantTypes') }),
    )
  })

  test.each([
    ['resets the connection', { kind: 'reset' }],
    ['breaks off its answer', { kind: 'reset', midBody: true }],
    ['hangs', { kind: 'hang' }],
    ['asks to slow down', { kind: 'answer', status: 429 }],
  ] as const)('answers 503 when Dex %s', async (_, fault) => {
    await using broker = await startBroker({ HTTP_TIMEOUT: '300ms' })
    broker.dex.setFault('token', fault)
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
  })

  test('answers 503 when nobody listens there, or the name does not exist', async () => {
    const gone = await startDex()
    await gone.close()
    await using broker = await startBroker({ DEX_TOKEN_URL: gone.tokenEndpoint })
    expect((await broker.check({ headers: orders })).status).toBe(503)
    await using nowhere = await startBroker({ DEX_TOKEN_URL: 'https://dex.invalid/token' })
    expect((await nowhere.check({ headers: orders })).status).toBe(503)
  })
})

describe('/healthz', () => {
  test('returns 200 with body ok, also while Dex is down', async () => {
    await using broker = await startBroker({ DEX_TOKEN_URL: 'https://dex.invalid/token' })
    const answer = await broker.check({ target: '/healthz' })
    expect([answer.status, answer.body]).toEqual([200, 'ok\n'])
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })
})

describe('the JWT gate', () => {
  test('lets every check through that carries a valid JWT, with the token of the fixed client', async () => {
    await using broker = await startBroker(gateOf)
    const jwt = broker.dex.signJwt({ exp: inSeconds(60) })
    const answer = await broker.check(withJwt(jwt))
    expect(bearerOf(answer)).not.toBe(jwt)
    expect(broker.dex.counts).toMatchObject({ tokenRequests: 1, keysRequests: 1 })
  })

  test.each([
    ['no JWT', {}],
    ['an empty header', { authorization: '' }],
    ['a scheme alone', { authorization: 'Bearer' }],
    ['another scheme', { authorization: 'Basic b3JkZXJzOm9yZGVycy1zZWNyZXQ=' }],
    ['no JWT but something', { authorization: 'Bearer abc' }],
    ['the JWT in another header', { 'x-jwt': 'abc' }],
    ['credentials instead of a JWT', orders],
  ])('answers 401 for %s, and Dex is not asked', async (_, headers) => {
    await using broker = await startBroker(gateOf)
    const answer = await broker.check({ headers })
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_token'])
    expect(answer.header('www-authenticate')).toMatch(/^Bearer realm=/)
    expect(broker.dex.counts.tokenRequests).toBe(0)
  })

  test('validates the JWT before anything is exchanged', async () => {
    await using broker = await startBroker(gateOf)
    const [header, , signature] = broker.dex.signJwt({ exp: inSeconds(60) }).split('.')
    const other = Buffer.from(JSON.stringify({ exp: inSeconds(600) })).toString('base64url')
    expect((await broker.check(withJwt(`${header}.${other}.${signature}`))).status).toBe(401)
    expect(broker.dex.counts).toMatchObject({ tokenRequests: 0, keysRequests: 1 })
  })

  test('reads the JWT from JWT_HEADER, with or without Bearer before it', async () => {
    await using broker = await startBroker(dex => ({ ...gateOf(dex), JWT_HEADER: 'X-Caller' }))
    const jwt = broker.dex.signJwt({ exp: inSeconds(60) })
    for (const value of [jwt, `Bearer ${jwt}`, `bearer ${jwt}`]) {
      bearerOf(await broker.check({ headers: { 'x-caller': value } }))
    }
    expect((await broker.check(withJwt(jwt))).status).toBe(401)
  })

  test('requires STATIC_CLIENT_ID', () => {
    expect(() => loadConfig({ JWKS_URL: 'https://auth.example.com/jwks' })).toThrow(
      /STATIC_CLIENT_ID: must be set/,
    )
  })

  test('reads the secret from the request when STATIC_CLIENT_SECRET is omitted', async () => {
    await using broker = await startBroker(dex => ({ STATIC_CLIENT_ID: 'orders', JWKS_URL: dex.jwksUri }))
    const { headers } = withJwt(broker.dex.signJwt({ exp: inSeconds(60) }))
    bearerOf(await broker.check({ headers: { ...headers, 'x-client-secret': 'orders-secret' } }))
    expect(errorOf(await broker.check({ headers }))).toBe('missing_credentials')
    expect((await broker.check({ headers: { 'x-client-secret': 'orders-secret' } })).status).toBe(401)
  })

  test.each([...rsaAlgorithms, ...ecAlgorithms])('accepts a signature by %s', async algorithm => {
    await using broker = await startBroker(gateOf)
    const key = createOwnKey(algorithm)
    broker.dex.setFault('keys', { kind: 'answer', body: key.keySet })
    bearerOf(await broker.check(withJwt(key.jwt({ exp: inSeconds(60) }))))
    expect((await broker.check(withJwt(key.jwt({ exp: 1 })))).status).toBe(401)
  })

  test.each(['none', 'HS256', 'HS512', 'PS256', 'EdDSA', 'ES256K', 'rs256', ''])(
    'rejects alg=%s before any key is fetched',
    async alg => {
      // Without the admin listener, nobody asks for readiness and so for keys.
      await using broker = await startBroker(dex => ({ ...gateOf(dex), ADMIN_ADDR: 'off' }))
      expect(errorOf(await checkWithJwt(broker, {}, { alg }))).toBe('invalid_token')
      expect(broker.dex.counts).toMatchObject({ tokenRequests: 0, keysRequests: 0 })
    },
  )

  test('rejects an algorithm that is not the one that the key set has for the key', async () => {
    await using broker = await startBroker(gateOf, { algorithm: 'RS256' })
    expect(errorOf(await checkWithJwt(broker, {}, { alg: 'RS512' }))).toBe('invalid_token')
    await using renamed = await startBroker(gateOf, { algorithm: 'RS256' })
    renamed.dex.setFault('keys', {
      kind: 'rewrite',
      rewrite: answer => {
        const body = answer.body.toString().replace('RS256', 'RS384')
        return { ...answer, body, headers: { ...answer.headers, 'Content-Length': String(body.length) } }
      },
    })
    expect(errorOf(await checkWithJwt(renamed))).toBe('invalid_token')
  })

  test.each([
    ['no exp', { exp: undefined }],
    ['an exp in the past', { exp: inSeconds(-1) }],
    ['an exp that is no number', { exp: String(inSeconds(60)) }],
    ['an nbf in the future', { nbf: inSeconds(30) }],
    ['an nbf that is no number', { nbf: 'now' }],
    ['another issuer', { iss: 'https://auth.example.com/' }],
    ['an issuer in other case', { iss: 'https://AUTH.example.com' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['several other audiences', { aud: ['other', 'my-service-2'] }],
    ['no audience', { aud: undefined }],
  ])('rejects %s', async (_, claims) => {
    const rules = { JWT_ISSUER: 'https://auth.example.com', JWT_AUDIENCE: 'my-service' }
    await using broker = await startBroker(dex => ({ ...gateOf(dex), ...rules }))
    const good = { iss: 'https://auth.example.com', aud: 'my-service', nbf: inSeconds(-30) }
    expect(errorOf(await checkWithJwt(broker, { ...good, ...claims }))).toBe('invalid_token')
    expect(broker.dex.counts.tokenRequests).toBe(0)
    bearerOf(await checkWithJwt(broker, good))
    bearerOf(await checkWithJwt(broker, { ...good, aud: ['other', 'my-service'] }))
  })

  test('looks at iss and aud only when they are configured', async () => {
    await using broker = await startBroker(gateOf)
    bearerOf(await checkWithJwt(broker, { iss: 'https://anybody.example', aud: 'anything' }))
  })

  test.each([
    [2048, 200],
    [1024, 401],
  ])('with an RSA key of %i bits answers %i', async (modulusLength, status) => {
    await using broker = await startBroker(gateOf)
    const key = createOwnKey('RS256', { modulusLength })
    broker.dex.setFault('keys', { kind: 'answer', body: key.keySet })
    expect((await broker.check(withJwt(key.jwt({ exp: inSeconds(60) })))).status).toBe(status)
  })

  test('rejects a JWT of more than 16 KB, and takes one of nearly 16 KB', async () => {
    await using broker = await startBroker(gateOf)
    // Base64 makes four characters of three bytes.
    bearerOf(await checkWithJwt(broker, { filler: 'x'.repeat(11_800) }))
    expect(errorOf(await checkWithJwt(broker, { filler: 'x'.repeat(12_400) }))).toBe('invalid_token')
  })

  test('fetches keys lazily on the first request, and once', async () => {
    await using broker = await startBroker(gateOf)
    expect(broker.dex.counts.keysRequests).toBe(0)
    await Promise.all(Array.from({ length: 20 }, () => checkWithJwt(broker)))
    for (let count = 0; count < 5; count++) bearerOf(await checkWithJwt(broker))
    expect(broker.dex.counts.keysRequests).toBe(1)
  })

  test('refreshes the key set for an unknown kid, so that a rotation is seen at once', async () => {
    await using broker = await startBroker(gateOf)
    bearerOf(await checkWithJwt(broker))
    await broker.dex.rotateKeys()
    bearerOf(await checkWithJwt(broker, { round: 2 }))
    expect(broker.dex.counts.keysRequests).toBe(2)
  })

  test('limits the rate of these refreshes', async () => {
    await using broker = await startBroker(gateOf)
    bearerOf(await checkWithJwt(broker))
    for (let count = 0; count < 20; count++) {
      expect((await checkWithJwt(broker, {}, { kid: `junk-${count}` })).status).toBe(401)
    }
    expect(broker.dex.counts.keysRequests).toBe(2)
  })

  test('works with the example configuration', async () => {
    await using broker = await startBroker(dex => ({
      JWKS_URL: dex.jwksUri,
      JWT_HEADER: 'Authorization',
      JWT_ISSUER: 'https://auth.example.com',
      JWT_AUDIENCE: 'my-service',
      ...staticClient,
      STATIC_SCOPE: 'openid email profile groups',
    }))
    bearerOf(await checkWithJwt(broker, { iss: 'https://auth.example.com', aud: 'my-service' }))
    expect(broker.dex.tokenRequests[0]?.form['scope']).toBe('openid email profile groups')
  })
})

describe('token header mapping', () => {
  test('is off by default: Authorization is the only header for the backend', async () => {
    await using broker = await startBroker()
    const { headers } = await broker.check({ headers: { ...orders, 'x-scope': 'openid' } })
    expect(headers.map(([name]) => name)).not.toContain('access_token')
    expect(headers.map(([name]) => name)).not.toContain('id_token')
  })

  test('access_token exposes the raw token under its own name', async () => {
    await using broker = await startBroker({ UPSTREAM_TOKEN_HEADERS: 'access_token' })
    const answer = await broker.check({ headers: orders })
    expect(answer.header('access_token')).toBe(bearerOf(answer))
  })

  test('access_token:X-Access-Token maps to a header of another name', async () => {
    await using broker = await startBroker({ UPSTREAM_TOKEN_HEADERS: 'access_token:X-Access-Token' })
    const answer = await broker.check({ headers: orders })
    expect(answer.header('x-access-token')).toBe(bearerOf(answer))
    expect(answer.header('access_token')).toBeUndefined()
  })

  test('access_token,token_type:X-Token-Type maps both, verbatim', async () => {
    await using broker = await startBroker({ UPSTREAM_TOKEN_HEADERS: 'access_token,token_type:X-Token-Type' })
    const answer = await broker.check({ headers: orders })
    expect(answer.header('access_token')).toBe(bearerOf(answer))
    expect(answer.header('x-token-type')).toBe('bearer')
    expect(answer.header('authorization')).toMatch(/^Bearer /)
  })

  test('takes any field that is a string or a number, and costs nothing on a cache hit', async () => {
    await using broker = await startBroker({
      UPSTREAM_TOKEN_HEADERS: 'tenant:x-tenant,level:x-level,ratio:x-ratio',
    })
    broker.dex.setFault('token', {
      kind: 'answer',
      body: '{"access_token":"a","token_type":"Bearer","expires_in":300,"tenant":"blue","level":7,"ratio":0.5}',
    })
    for (const source of ['Dex', 'the cache']) {
      const answer = await broker.check({ headers: orders })
      const values = ['x-tenant', 'x-level', 'x-ratio'].map(name => answer.header(name))
      expect(values, source).toEqual(['blue', '7', '0.5'])
    }
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  // Absent fields, forged headers and mapped expires_in: check-answers.test.ts. Spelling and refused names:
  // config/token-header-mapping.test.ts and config/header-name.test.ts.
})

// Envoy Gateway with these headers: the end-to-end tests. `--version`: command.test.ts.

describe('the cache', () => {
  test('keeps clients, scopes and secrets apart', async () => {
    await using broker = await startBroker()
    const requests = [orders, { ...orders, 'x-scope': 'openid' }, { ...orders, 'x-scope': 'email' }, billing]
    const tokens: string[] = []
    for (const headers of [...requests, ...requests]) tokens.push(bearerOf(await broker.check({ headers })))
    expect(new Set(tokens).size).toBe(4)
    expect(tokens.slice(4)).toEqual(tokens.slice(0, 4))
    expect(broker.dex.counts.tokenRequests).toBe(4)
  })

  test('never lends a token to another secret of the same client', async () => {
    await using broker = await startBroker()
    bearerOf(await broker.check({ headers: orders }))
    for (const secret of ['wrong', 'orders-secre', 'orders-secret2', 'ORDERS-SECRET']) {
      expect((await broker.check({ headers: { ...orders, 'x-client-secret': secret } })).status).toBe(401)
    }
    bearerOf(await broker.check({ headers: orders }))
  })

  test('evicts the token that expires soonest when it is full', async () => {
    await using broker = await startBroker({ CACHE_MAX_ENTRIES: '2' })
    const check = (scope: string) => broker.check({ headers: { ...orders, 'x-scope': scope } })
    broker.dex.idTokensMs = 3_600_000
    bearerOf(await check('openid'))
    broker.dex.idTokensMs = 600_000
    bearerOf(await check('email'))
    broker.dex.idTokensMs = 7_200_000
    bearerOf(await check('profile'))
    expect(await cacheEntries(broker)).toBe(2)
    broker.dex.resetRecords()
    bearerOf(await check('openid'))
    bearerOf(await check('profile'))
    expect(broker.dex.counts.tokenRequests).toBe(0)
    bearerOf(await check('email'))
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('removes expired tokens before living ones', async () => {
    await using broker = await startBroker({ CACHE_MAX_ENTRIES: '2' }, { byManualClock: true })
    const check = (scope: string) => broker.check({ headers: { ...orders, 'x-scope': scope } })
    bearerOf(await check('openid'))
    broker.dex.idTokensMs = 2_000
    bearerOf(await check('email'))
    broker.clock.advance(1_000)
    broker.dex.idTokensMs = 600_000
    bearerOf(await check('profile'))
    broker.dex.resetRecords()
    bearerOf(await check('openid'))
    bearerOf(await check('profile'))
    expect(broker.dex.counts.tokenRequests).toBe(0)
    expect((await broker.admin('/metrics')).body).toContain('dex_token_broker_cache_evictions_total 0\n')
  })

  test('removes an expired token when it is asked for', async () => {
    await using broker = await startBroker({}, { idTokensMs: 2_000, byManualClock: true })
    const first = bearerOf(await broker.check({ headers: orders }))
    broker.clock.advance(1_000)
    expect(bearerOf(await broker.check({ headers: orders }))).not.toBe(first)
    expect(await cacheEntries(broker)).toBe(1)
  })

  test('removes expired tokens periodically, asked for or not', async () => {
    await using broker = await startBroker({ CACHE_CLEANUP_INTERVAL: '100ms' }, { byManualClock: true })
    bearerOf(await broker.check({ headers: orders }))
    bearerOf(await broker.check({ headers: billing }))
    expect(await cacheEntries(broker)).toBe(2)
    broker.clock.advance(24 * 3_600_000)
    await until(async () => (await cacheEntries(broker)) === 0, 'an empty cache', 4_000)
  })

  test('shares one token request among checks that miss it at the same time, per key', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 150 })
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => broker.check({ headers: index % 2 === 0 ? orders : billing })),
    )
    expect(new Set(answers.map(answer => bearerOf(answer))).size).toBe(2)
    expect(broker.dex.counts.tokenRequests).toBe(2)
  })

  test('shares one token request again when a token expires under load', async () => {
    await using broker = await startBroker({}, { idTokensMs: 4_000, byManualClock: true })
    bearerOf(await broker.check({ headers: orders }))
    broker.clock.advance(3_000)
    await Promise.all(Array.from({ length: 40 }, () => broker.check({ headers: orders })))
    expect(broker.dex.counts.tokenRequests).toBe(2)
  })
})

describe('security notes', () => {
  // "Always use TLS": a private authority is in start-server.test.ts.

  test.each(['DEX_TOKEN_URL', 'JWKS_URL'])(
    'plain http in %s is rejected unless ALLOW_INSECURE_DEX_URL=true',
    name => {
      const environment = { STATIC_CLIENT_ID: 'x', [name]: 'http://dex.example.com/x' }
      expect(() => loadConfig(environment)).toThrow(new RegExp(`^${name}: .*ALLOW_INSECURE_DEX_URL=true`))
      expect(loadConfig({ ...environment, ALLOW_INSECURE_DEX_URL: 'true' }).broker.allowInsecureUrls).toBe(
        true,
      )
    },
  )

  // "Do not log client secrets": secrets.test.ts.
  // Length limits, control characters, repeated headers: check-connections.test.ts.

  test('a token response beyond its limit is rejected and cut off', async () => {
    await using broker = await startBroker({ HTTP_TIMEOUT: '20s' })
    for (const declareLength of [true, false]) {
      broker.dex.setFault('token', { kind: 'huge', bytes: 1024 ** 3, declareLength })
      const refused = await broker.check({ headers: orders })
      expect([refused.status, errorOf(refused)]).toEqual([502, 'invalid_token_response'])
      // A connection whose answer was read to its end would be kept.
      await until(() => broker.dex.openConnections === 0, 'the end of the connection')
    }
  })

  test.each(['mac', 'DPoP', 'N_A', 'bearer '])('the token type "%s" is rejected', async tokenType => {
    await using broker = await startBroker()
    const body = JSON.stringify({ access_token: 'a', token_type: tokenType, expires_in: 300 })
    broker.dex.setFault('token', { kind: 'answer', body })
    expect((await broker.check({ headers: orders })).status).toBe(502)
  })

  test.each(['bearer', 'Bearer', 'BEARER', ''])('the token type "%s" becomes Bearer', async tokenType => {
    await using broker = await startBroker()
    const body = JSON.stringify({ access_token: 'a', token_type: tokenType, expires_in: 300 })
    broker.dex.setFault('token', { kind: 'answer', body })
    expect((await broker.check({ headers: orders })).header('authorization')).toBe('Bearer a')
  })

  test('a redirect of the token endpoint or of the key set is not followed', async () => {
    await using elsewhere = await startDex()
    await using broker = await startBroker(gateOf)
    broker.dex.setFault('keys', { kind: 'redirect', location: elsewhere.jwksUri })
    expect((await checkWithJwt(broker)).status).toBe(503)
    await using open = await startBroker()
    open.dex.setFault('token', { kind: 'redirect', location: elsewhere.tokenEndpoint, status: 307 })
    expect((await open.check({ headers: orders })).status).toBe(502)
    expect(elsewhere.counts).toMatchObject({ tokenRequests: 0, keysRequests: 0 })
  })

  // A warning for a gate without JWT_AUDIENCE and for static credentials without a gate: start-server.test.ts.
})
