import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../src/check/verdict.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { type BrokerWithDex, caughtUp, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const exp = Date.parse('2030-01-01T02:00:00Z') / 1000
const gateOf = (dex: BrokerWithDex['dex']) => ({ jwksUri: dex.jwksUri })

describe('what a request that may pass gets', () => {
  test('the bearer header and the mapped fields', async () => {
    await using running = await startBrokerWithDex({
      client: { ...orders, scope: 'openid' },
      tokenHeaders: { id_token: 'X-Id-Token', expires_in: 'x-expires-in', token_type: 'x-type' },
    })
    const verdict = await running.broker.check({ headers: [] })
    const { accessToken, fields } = await running.broker.getToken()
    expect(verdict).toEqual({
      outcome: 'allow',
      set: {
        authorization: `Bearer ${accessToken}`,
        'x-id-token': fields['id_token'],
        'x-expires-in': '3599',
        'x-type': 'bearer',
      },
      remove: ['x-client-id', 'x-client-secret', 'x-scope'],
    })
  })

  test('loses a mapped header whose field is absent, so that nobody can forge it', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      tokenHeaders: { id_token: 'x-id-token' },
    })
    const verdict = await running.broker.check({ headers: ['x-id-token', 'forged'] })
    expect(verdict).toMatchObject({ remove: ['x-client-id', 'x-client-secret', 'x-scope', 'x-id-token'] })
  })

  test('loses a mapped header even when stripping is off', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      credentialHeaders: { strip: false },
      tokenHeaders: { id_token: 'x-id-token' },
    })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ remove: ['x-id-token'] })
  })

  test('keeps its own authorization when the token goes elsewhere and there is no gate', async () => {
    await using running = await startBrokerWithDex({ client: orders, authorizationHeader: 'X-Upstream' })
    const verdict = await running.broker.check({ headers: ['authorization', 'Basic abc'] })
    expect(verdict).toMatchObject({ remove: ['x-client-id', 'x-client-secret', 'x-scope'] })
  })

  test.each([
    [
      { authorizationHeader: 'x-upstream' },
      {},
      ['x-client-id', 'x-client-secret', 'x-scope', 'authorization'],
    ],
    [{}, { jwtHeader: 'x-jwt' }, ['x-client-id', 'x-client-secret', 'x-scope', 'x-jwt']],
    [{}, {}, ['x-client-id', 'x-client-secret', 'x-scope']],
    [{ credentialHeaders: { strip: false }, authorizationHeader: 'x-upstream' }, {}, []],
  ])('loses the JWT that let it in, unless that header is set: %j %j', async (options, gate, remove) => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { ...gateOf(dex), ...gate },
      ...options,
    }))
    const jwt = running.dex.signJwt({ exp })
    const name = 'jwtHeader' in gate ? 'x-jwt' : 'authorization'
    expect(await running.broker.check({ headers: [name, jwt] })).toMatchObject({ outcome: 'allow', remove })
  })

  test('never loses a header that is set, whatever is configured', async () => {
    const name = fc.constantFrom('authorization', 'x-a', 'x-b', 'x-c', 'x-d')
    const configuration = fc.record({
      authorizationHeader: name,
      credentialHeaders: fc.record({ clientId: name, clientSecret: name, scope: name, strip: fc.boolean() }),
      mapped: fc.uniqueArray(name, { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(configuration, async ({ authorizationHeader, credentialHeaders, mapped }) => {
        const fields = ['token_type', 'id_token', 'expires_in']
        const headers = mapped.filter(header => header !== authorizationHeader)
        const tokenHeaders = Object.fromEntries(
          headers.map((header, index) => [fields[index] as string, header]),
        )
        await using running = await startBrokerWithDex({
          client: { ...orders, scope: 'groups' },
          authorizationHeader,
          credentialHeaders,
          tokenHeaders,
        })
        const verdict = await running.broker.check({ headers: [] })
        if (verdict.outcome !== 'allow') throw new Error(verdict.body)
        const set = Object.keys(verdict.set)
        expect(verdict.remove.filter(header => set.includes(header))).toEqual([])
        expect(new Set(verdict.remove).size).toBe(verdict.remove.length)
        for (const header of headers) expect([...set, ...verdict.remove]).toContain(header)
      }),
      { numRuns: 40 },
    )
  })
})

describe('the order of a check', () => {
  test('the gate comes before the credentials: without a JWT nothing is said about them', async () => {
    await using running = await startBrokerWithDex(dex => ({ gate: gateOf(dex) }))
    const headers = ['x-client-id', 'a', 'x-client-id', 'b', 'x-client-secret', 'é']
    expect(await running.broker.check({ headers })).toMatchObject({ code: 'invalid_token' })
    const withJwt = ['authorization', running.dex.signJwt({ exp }), ...headers]
    expect(await running.broker.check({ headers: withJwt })).toMatchObject({ code: 'invalid_request' })
  })

  test('a refused JWT costs no token request', async () => {
    await using running = await startBrokerWithDex(dex => ({ client: orders, gate: gateOf(dex) }))
    await running.broker.check({ headers: ['authorization', 'Bearer a.b.c'] })
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ tokenRequests: 0, keysRequests: 0 })
  })
})

describe('the JWT of a caller', () => {
  test.each(['', 'Bearer ', 'bearer ', 'BEARER   '])('may stand behind "%s"', async scheme => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { ...gateOf(dex), jwtHeader: 'X-JWT' },
    }))
    const value = `${scheme}${running.dex.signJwt({ exp })}`
    expect(await running.broker.check({ headers: ['x-jwt', value] })).toMatchObject({ outcome: 'allow' })
    expect(await running.broker.check({ headers: ['X-Jwt', ` ${value} `] })).toMatchObject({
      outcome: 'allow',
    })
    expect(await running.broker.check({ headers: ['authorization', value] })).toMatchObject({ status: 401 })
  })

  const challenge = 'Bearer realm="dex-token-broker"'
  test.each(['', ' ', 'Bearer', 'bearer  '])(
    'that is not there (%j) is challenged without an error',
    async value => {
      await using running = await startBrokerWithDex(dex => ({ client: orders, gate: gateOf(dex) }))
      for (const headers of [['authorization', value], []]) {
        const verdict = await running.broker.check({ headers })
        expect(verdict).toMatchObject({ status: 401, headers: { 'www-authenticate': challenge } })
      }
    },
  )

  test('that is refused is challenged with fixed words', async () => {
    await using running = await startBrokerWithDex(dex => ({ client: orders, gate: gateOf(dex) }))
    const good = running.dex.signJwt({ exp })
    const refused = [
      'Basic b3JkZXJzOng=',
      'Bearer "quote"',
      `Bearer ${good}, Bearer ${good}`,
      `${good},${good}`,
      `Bearer Bearer ${good}`,
      `Bearer\t${good}`,
      `${good}x`,
      running.dex.signJwt({ exp: 1 }),
      running.dex.signJwt({ exp }, { kid: 'no"such\\key' }),
    ]
    for (const value of refused) {
      const verdict = await running.broker.check({ headers: ['authorization', value] })
      expect(verdict).toMatchObject({
        outcome: 'deny',
        status: 401,
        headers: {
          'www-authenticate': `${challenge}, error="invalid_token", error_description="The JWT is not acceptable"`,
        },
        body: '{"error":"invalid_token","error_description":"the JWT is not acceptable"}',
      })
    }
  })

  test('on two lines is 400', async () => {
    await using running = await startBrokerWithDex(dex => ({ client: orders, gate: gateOf(dex) }))
    const value = running.dex.signJwt({ exp })
    const headers = ['authorization', value, 'Authorization', value]
    expect(await running.broker.check({ headers })).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('authenticate gives its claims and itself, or the error that a check would have', async () => {
    await using running = await startBrokerWithDex(dex => ({ gate: gateOf(dex) }))
    const jwt = running.dex.signJwt({ exp, sub: 'alice' })
    const caller = await running.broker.authenticate({ headers: ['Authorization', `Bearer ${jwt}`] })
    expect(caller).toMatchObject({ subject: 'alice', claims: { exp, sub: 'alice' }, token: jwt })
    await expect(running.broker.authenticate({ headers: [] })).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('authenticate without a gate is wrong use, never an open door', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await expect(running.broker.authenticate({ headers: ['authorization', 'x'] })).rejects.toThrow(TypeError)
  })
})

describe('a refusal', () => {
  test.each([
    [0, '1'],
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [3_600_000, '3600'],
  ])('with %i ms to wait says Retry-After: %s', (retryAfterMs, seconds) => {
    const refusal = refusalOf(new BrokerError('overloaded', 'm', { retryAfterMs }))
    expect(refusal.headers['retry-after']).toBe(seconds)
  })

  test('with 503 always says when to come back, also when nobody knows', () => {
    for (const code of ['token_endpoint_unavailable', 'overloaded', 'jwks_unavailable'] as const) {
      expect(refusalOf(new BrokerError(code, 'm')).headers['retry-after']).toBe('1')
    }
    expect(refusalOf(new BrokerError('invalid_token_response', 'm')).headers).not.toHaveProperty(
      'retry-after',
    )
    expect(refusalOf(new BrokerError('invalid_token', 'm')).headers).not.toHaveProperty('retry-after')
  })

  test('of a rule that says no to an authenticated caller has the challenge insufficient_scope', () => {
    expect(refusalOf(new BrokerError('forbidden', 'm'))).toMatchObject({
      outcome: 'deny',
      status: 403,
      headers: { 'www-authenticate': 'Bearer realm="dex-token-broker", error="insufficient_scope"' },
    })
  })

  test('passes on the Retry-After of Dex', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'answer', status: 429, headers: { 'retry-after': '7' } })
    expect(await running.broker.check({ headers: [] })).toMatchObject({
      outcome: 'error',
      status: 503,
      headers: { 'retry-after': '7' },
    })
  })

  test('of anything that is no BrokerError is server_error without a word', () => {
    for (const error of [
      new Error('secret'),
      'secret',
      null,
      undefined,
      { message: 'secret', code: 'forbidden' },
    ]) {
      const refusal = refusalOf(error)
      expect(refusal).toMatchObject({ outcome: 'error', status: 500, code: 'server_error' })
      expect(JSON.stringify(refusal)).not.toContain('secret')
    }
  })

  test('shows nothing of what Dex said, of the secret, or of a URL, whatever Dex answers', async () => {
    await using running = await startBrokerWithDex({ negativeCacheTtlMs: 0 })
    const inner = 'INTERNALS'
    const body = fc.oneof(
      fc.constantFrom(
        `<html>${inner}</html>`,
        `{"error":"${inner}"}`,
        `{"error":"invalid_client","error_description":"${inner}"}`,
        `{"access_token":"${inner}","token_type":"${inner}"}`,
        `{"access_token":"${inner} "}`,
        `{"access_token":"x","expires_in":"${inner}"}`,
      ),
      fc.json().map(json => `{"error":${json},"more":"${inner}"}`),
    )
    const answer = fc.record({
      status: fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 418, 429, 500, 502, 503),
      body,
      location: fc.constantFrom(`http://${inner}.example.com/`, '/'),
    })
    await fc.assert(
      fc.asyncProperty(answer, async ({ status, body, location }) => {
        running.dex.setFault('token', { kind: 'answer', status, body, headers: { location } })
        const verdict = await running.broker.check({
          headers: ['x-client-id', 'orders', 'x-client-secret', `the-${inner}`],
        })
        if (verdict.outcome === 'allow') throw new Error('unexpected')
        expect(JSON.stringify(verdict)).not.toMatch(/INTERNALS|127\.0\.0\.1|http:|dex\/token|orders/)
        const { error, error_description: description, ...rest } = JSON.parse(verdict.body)
        expect(error).toBe(verdict.code)
        expect(description).toMatch(/^[\x20-\x7e]+$/)
        expect(rest).toEqual({})
        expect(verdict.outcome).toBe(verdict.status < 500 ? 'deny' : 'error')
        expect('www-authenticate' in verdict.headers).toBe(verdict.status === 401)
      }),
      { numRuns: 150 },
    )
  })

  test('shows nothing of the network either', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', { kind: 'reset' })
    const verdict = await running.broker.check({ headers: [] })
    expect(verdict).toMatchObject({ outcome: 'error', status: 503, code: 'token_endpoint_unavailable' })
    expect(JSON.stringify(verdict)).not.toMatch(/ECONN|127\.0\.0\.1|fetch/)
  })
})
