import { decodeJwt } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { withAllHeaders } from '../harness/listener-variants.ts'
import type { RecordedRequest } from '../harness/recording-backend.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'
import { misleadingHeaders } from './hostile-targets.ts'

const { 'x-scope': _, ...withoutScope } = credentials

function joined(request: RecordedRequest | undefined): string {
  return request?.rawHeaders.join('\n') ?? ''
}

describeWithEnvoy('the headers of a request', () => {
  const system = useSystem(() => ({ listeners: { 'all headers checked': withAllHeaders } }))
  afterEach(() => system().backend.clear())

  async function arrived(headers: Parameters<typeof ask>[1]['headers']): Promise<RecordedRequest> {
    const answer = await ask(system().port(), { target: '/orders', ...(headers && { headers }) })
    expect(answer.status).toBe(200)
    return system().backend.requests.at(-1) as RecordedRequest
  }

  test('finding 4, credential leak: client id, secret and scope never reach the backend', async () => {
    const request = await arrived(credentials)
    for (const name of ['x-client-id', 'x-client-secret', 'x-scope']) expect(request.header(name)).toEqual([])
    expect(joined(request)).not.toContain(caller.secret)
  })

  test('the token is in authorization, and mapped fields are in the headers they are mapped to', async () => {
    const request = await arrived(credentials)
    const [authorization = ''] = request.header('authorization')
    const [accessToken = ''] = request.header('x-access-token')
    const [idToken = ''] = request.header('x-id-token')
    expect(authorization).toBe(`Bearer ${accessToken}`)
    expect(request.tokenAudience).toBe(caller.id)
    expect(decodeJwt(idToken)).toMatchObject({ aud: caller.id, iss: system().dex.issuer })
    expect(idToken).not.toBe(accessToken)
  })

  test('finding 5, header spoofing: a mapped header whose field Dex left out is removed, not passed on', async () => {
    const request = await arrived({ ...withoutScope, 'x-id-token': 'forged-by-client' })
    expect(request.header('x-id-token')).toEqual([])
    expect(joined(request)).not.toContain('forged-by-client')
  })

  test('finding 6, Envoy removes after it sets: what is set arrives exactly once', async () => {
    const request = await arrived(credentials)
    for (const name of ['authorization', 'x-access-token', 'x-id-token']) {
      expect(request.header(name)).toHaveLength(1)
    }
  })

  test.each(['authorization', 'Authorization', 'x-access-token', 'X-Access-Token', 'x-id-token'])(
    "the client's own %s gives way to ours, on one line and on two",
    async name => {
      const forged = [name, 'Bearer forged-by-client'] as const
      const lines = Object.entries(credentials)
      for (const headers of [
        [...lines, forged],
        [forged, ...lines, forged],
      ]) {
        const request = await arrived(headers)
        expect(joined(request)).not.toContain('forged-by-client')
        expect(request.header(name.toLowerCase())).toHaveLength(1)
        expect(request.tokenAudience).toBe(caller.id)
      }
    },
  )

  test("Envoy's own headers, forged by the client, change nothing", async () => {
    const request = await arrived({
      ...credentials,
      'x-envoy-auth-headers-to-remove': 'authorization, x-access-token',
      'x-envoy-expected-rq-timeout-ms': '1',
      'x-envoy-original-path': '/healthz',
      'x-envoy-internal': 'true',
      'x-envoy-upstream-rq-timeout-ms': '1',
    })
    expect(request.tokenAudience).toBe(caller.id)
    expect(request.header('x-access-token')).toHaveLength(1)
    expect(request.header('x-envoy-expected-rq-timeout-ms')).toEqual(['15000'])
  })

  test.each(misleadingHeaders)('%s does not get a request without credentials in', async name => {
    for (const listener of ['ingress', 'all headers checked']) {
      const answer = await ask(system().port(listener), {
        target: '/healthz',
        headers: { [name]: '/healthz' },
      })
      expect(answer.status).toBe(401)
    }
    expect(system().backend.requests).toEqual([])
  })

  test('other headers, and repeated ones, arrive as they were sent', async () => {
    const request = await arrived([
      ...Object.entries(credentials),
      ['x-trace', 'a'],
      ['x-trace', 'b'],
      ['cookie', 'a=1; b=2'],
      ['accept-language', 'de'],
      ['x-request-id', 'not-a-uuid'],
    ])
    expect(request.header('x-trace').join(',')).toBe('a,b')
    expect(request.header('cookie')).toEqual(['a=1; b=2'])
    expect(request.header('accept-language')).toEqual(['de'])
  })

  test('nothing of the token or of the check reaches the client', async () => {
    const answer = await ask(system().port(), { headers: credentials })
    for (const name of ['authorization', 'x-access-token', 'x-id-token', 'x-envoy-auth-headers-to-remove']) {
      expect(answer.headers[name]).toBeUndefined()
    }
    expect(JSON.stringify(answer)).not.toContain('Bearer')
  })

  test.each(['x-client-id', 'x-client-secret'])('%s on two lines is refused', async name => {
    for (const second of [credentials[name as keyof typeof credentials], 'other', '']) {
      const headers = [...Object.entries(credentials), [name, second] as const]
      const answer = await ask(system().port(), { headers })
      expect([400, 401]).toContain(answer.status)
    }
    expect(system().backend.requests).toEqual([])
  })

  test('a client id with underscores in its name does not pass for the real one', async () => {
    const headers = { ...credentials, x_client_id: 'other', x_client_secret: 'other' }
    expect((await ask(system().port(), { headers })).status).toBe(400)
    expect(system().backend.requests).toEqual([])
  })

  test('50 KB of headers pass, also when all of them go into the check', async () => {
    const many = Array.from({ length: 50 }, (_, index) => [`x-filler-${index}`, 'v'.repeat(1000)] as const)
    for (const listener of ['ingress', 'all headers checked']) {
      const headers = [...Object.entries(credentials), ...many]
      const answer = await ask(system().port(listener), { headers })
      expect(answer.status).toBe(200)
      expect(system().backend.requests.at(-1)?.header('x-filler-49')).toEqual(['v'.repeat(1000)])
    }
  })

  test('what is more than Envoy accepts is answered 431, and reaches nobody', async () => {
    for (const headers of [
      { ...credentials, 'x-filler': 'v'.repeat(61 * 1024) },
      {
        ...credentials,
        ...Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x-${index}`, 'v'])),
      },
    ]) {
      expect((await ask(system().port(), { headers })).status).toBe(431)
    }
    expect(system().backend.requests).toEqual([])
  })
})
