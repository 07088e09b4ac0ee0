import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type CallersIssuer, callersAudience, startCallersIssuer } from '../harness/callers-issuer.ts'
import { ask } from '../harness/client-request.ts'
import { caller } from '../harness/dex.ts'
import { withAllHeaders } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

describeWithEnvoy('the gate', () => {
  let callers: CallersIssuer
  async function gate(environment: Readonly<Record<string, string>> = {}) {
    callers ??= await startCallersIssuer()
    return {
      environment: {
        STATIC_CLIENT_ID: caller.id,
        STATIC_CLIENT_SECRET: caller.secret,
        STATIC_SCOPE: 'openid',
        JWKS_URL: callers.jwksUri,
        JWT_ISSUER: callers.issuer,
        JWT_AUDIENCE: callersAudience,
        ...environment,
      },
      listeners: { 'all headers checked': withAllHeaders },
    }
  }
  afterAll(() => callers?.[Symbol.asyncDispose]())

  describe('with the JWT in authorization', () => {
    const system = useSystem(gate)
    afterEach(() => system().backend.clear())

    test('finding 9: it judges the caller’s own JWT, and the backend sees only our token', async () => {
      const jwt = callers.jwt()
      const answer = await ask(system().port(), { headers: { authorization: `Bearer ${jwt}` } })
      expect(answer.status).toBe(200)
      const [arrived] = system().backend.requests
      expect(arrived?.tokenAudience).toBe(caller.id)
      expect(arrived?.header('authorization')).toHaveLength(1)
      expect(arrived?.rawHeaders.join('\n')).not.toContain(jwt)
    })

    test('without a JWT the client gets 401 with a challenge, and the backend nothing', async () => {
      for (const headers of [{}, { authorization: '' }, { authorization: 'Basic YWxhZGRpbjpvcGVu' }]) {
        const answer = await ask(system().port(), { headers })
        expect(answer).toMatchObject({ status: 401, headers: { 'content-type': 'application/json' } })
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="dex-token-broker"/)
        expect(JSON.parse(answer.body).error).toBe('invalid_token')
      }
      expect(system().backend.requests).toEqual([])
    })

    test.each<[string, () => string]>([
      ['expired', () => callers.jwt({ exp: 1 })],
      ['of another issuer', () => callers.jwt({ iss: 'https://other.example' })],
      ['for another audience', () => callers.jwt({ aud: 'billing' })],
      ['without a signature', () => callers.switches.signJwt({ iss: callers.issuer }, { alg: 'none' })],
      ['with an unknown key', () => callers.switches.signJwt({ iss: callers.issuer }, { kid: 'zzz' })],
      ['that is none', () => 'not.a.jwt'],
    ])('a JWT %s is refused', async (_, jwt) => {
      const answer = await ask(system().port(), { headers: { authorization: `Bearer ${jwt()}` } })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
      expect(system().backend.requests).toEqual([])
    })

    test('two JWTs are refused, on two lines and on one', async () => {
      const authorization = `Bearer ${callers.jwt()}`
      for (const headers of [
        [['authorization', authorization] as const, ['authorization', authorization] as const],
        { authorization: `${authorization}, ${authorization}` },
      ]) {
        expect((await ask(system().port(), { headers })).status).toBe(401)
      }
      expect(system().backend.requests).toEqual([])
    })

    test('a JWT of 15 KB passes', async () => {
      const jwt = callers.jwt({ groups: ['x'.repeat(10_900)] })
      expect(jwt.length).toBeGreaterThan(15_000)
      for (const listener of ['ingress', 'all headers checked']) {
        const answer = await ask(system().port(listener), { headers: { authorization: `Bearer ${jwt}` } })
        expect(answer.status).toBe(200)
      }
    })

    test('the caller chooses neither the client nor the scope', async () => {
      const headers = { 'x-client-id': 'other', 'x-client-secret': 'other', 'x-scope': 'groups' }
      const answer = await ask(system().port(), {
        headers: { ...headers, authorization: `Bearer ${callers.jwt()}` },
      })
      expect(answer.status).toBe(200)
      const [arrived] = system().backend.requests
      expect(arrived?.tokenAudience).toBe(caller.id)
      for (const name of Object.keys(headers)) expect(arrived?.header(name)).toEqual([])
    })
  })

  describe('with the JWT in a separate header', () => {
    const system = useSystem(() => gate({ JWT_HEADER: 'x-caller-jwt' }))

    test('removes it, so that the backend cannot use it elsewhere', async () => {
      const jwt = callers.jwt()
      const answer = await ask(system().port('all headers checked'), { headers: { 'x-caller-jwt': jwt } })
      expect(answer.status).toBe(200)
      const [arrived] = system().backend.requests
      expect(arrived?.tokenAudience).toBe(caller.id)
      expect(arrived?.rawHeaders.join('\n')).not.toContain(jwt)
    })

    test('does not take a JWT from authorization', async () => {
      const headers = { authorization: `Bearer ${callers.jwt()}` }
      expect((await ask(system().port('all headers checked'), { headers })).status).toBe(401)
    })
  })
})
