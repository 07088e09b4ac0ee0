import { afterEach, describe, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, plainCaller, unusualCaller } from '../harness/dex.ts'
import { withAllHeaders } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

type Credentials = Readonly<Record<'id' | 'secret', string>>
type Encode = (text: string) => string

const form: Encode = text => new URLSearchParams({ '': text }).toString().slice(1)
const unchanged: Encode = text => text
const base64 = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('base64')

function basic({ id, secret }: Credentials, encoded: Encode = form): string {
  return `Basic ${base64(`${encoded(id)}:${encoded(secret)}`)}`
}

const environment = { ACCEPT_BASIC: 'true' }
const listeners = { 'all headers checked': withAllHeaders }

describeWithEnvoy('Basic credentials behind Envoy', () => {
  const system = useSystem(() => ({ environment, listeners }))
  afterEach(() => system().backend.clear())

  describe.each(['ingress', 'all headers checked'])('listener: %s', listener => {
    test.each([caller, plainCaller, unusualCaller])(
      '$id gets in, and the backend sees its token and no secret',
      async client => {
        const authorization = basic(client)
        const answer = await ask(system().port(listener), { headers: { authorization, 'x-scope': 'openid' } })
        expect(answer.status).toBe(200)
        const [arrived] = system().backend.requests
        expect(arrived?.tokenAudience).toBe(client.id)
        expect(arrived?.header('authorization')).toHaveLength(1)
        expect(arrived?.header('x-scope')).toEqual([])
        expect(arrived?.header('x-id-token')).toHaveLength(1)
        expect(arrived?.rawHeaders.join('\n')).not.toContain(authorization.slice('Basic '.length))
      },
    )

    test('none, or wrong ones, are refused with a challenge that reaches the client', async () => {
      for (const headers of [{}, { authorization: basic({ ...caller, secret: 'wrong' }) }]) {
        const answer = await ask(system().port(listener), { headers })
        expect(answer.status).toBe(401)
        expect(answer.headers['www-authenticate']).toBe('Basic realm="dex-token-broker", charset="UTF-8"')
      }
      expect(system().backend.requests).toEqual([])
    })

    test('two lines, two in one line, and other credentials beside them are refused', async () => {
      const good = basic(caller)
      const other = basic(plainCaller)
      for (const headers of [
        [['authorization', good] as const, ['authorization', other] as const],
        [['authorization', good] as const, ['Authorization', good] as const],
        [['authorization', `${good}, ${other}`] as const],
        [['authorization', good] as const, ...Object.entries(credentials)],
        [['authorization', good] as const, ['x-client-id', caller.id] as const],
      ]) {
        expect((await ask(system().port(listener), { headers })).status).toBe(400)
      }
      expect(system().backend.requests).toEqual([])
    })
  })

  test.each<[string, string, number, number?]>([
    ['form-encoded', basic(caller), 200],
    ['with %20 for a blank', basic(unusualCaller, encodeURIComponent), 200],
    [
      'every character escaped',
      basic(caller, text => [...Buffer.from(text)].map(byte => `%${byte.toString(16)}`).join('')),
      200,
    ],
    ['not encoded, with nothing to encode', basic(plainCaller, unchanged), 200],
    ['not encoded', basic(caller, unchanged), 401],
    ['not encoded, with a percent sign', basic({ ...caller, secret: '100%' }, unchanged), 400],
    ['the scheme in lower case', basic(caller).replace('Basic', 'basic'), 200],
    ['the scheme in upper case', basic(caller).replace('Basic', 'BASIC'), 200],
    ['a wrong secret', basic({ ...caller, secret: `${caller.secret}x` }), 401],
    ['an unknown id', basic({ ...caller, id: 'nobody' }), 401],
    ['an empty secret', basic({ ...caller, secret: '' }), 401],
    ['an empty id', basic({ ...caller, id: '' }), 401],
    // Dex ignores a header that it cannot read, and finds no credentials in the body.
    ['no colon', `Basic ${base64(caller.id)}`, 400, 401],
    ['no padding', basic(caller).replace(/=+$/, ''), 400, 401],
    ['not base64', 'Basic !', 400, 401],
    // RFC 9110 allows several blanks; Go does not.
    ['two blanks', basic(caller).replace(' ', '  '), 200, 401],
    // Our own limits: no client id or secret has these.
    ['NUL in the secret', basic({ ...caller, secret: `${caller.secret}\0` }), 400, 401],
    ['bytes that are not UTF-8', `Basic ${base64(`${caller.id}:\xff`, 'latin1')}`, 400, 401],
  ])('are decoded as Dex decodes them: %s', async (_, authorization, expected, expectedOfDex = expected) => {
    const answer = await ask(system().port(), { headers: { authorization } })
    const direct = await fetch(system().dex.tokenEndpoint, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    await direct.text()
    expect([answer.status, direct.status]).toEqual([expected, expectedOfDex])
  })
})

describeWithEnvoy('Basic credentials, with the token in another header', () => {
  const system = useSystem(() => ({ environment: { ...environment, UPSTREAM_AUTH_HEADER: 'x-auth' } }))

  test('do not reach the backend', async () => {
    const answer = await ask(system().port(), { headers: { authorization: basic(caller) } })
    expect(answer.status).toBe(200)
    const [arrived] = system().backend.requests
    expect(arrived?.header('authorization')).toEqual([])
    // The mapped header carries the same token; the bootstrap does not list x-auth.
    expect(arrived?.header('x-access-token')).toHaveLength(1)
  })
})
