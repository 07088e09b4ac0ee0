import { once } from 'node:events'
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { connect } from 'node:net'
import { TokenBroker } from '@broker/core'
import { type Listening, listening, type RecordingServer } from '@broker/testing'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { describe, expect, test } from 'vitest'
import { type AttachTokenOptions, attachToken, authOf, brokerErrorHandler, requireJwt } from '../src/index.ts'
import { type ExpressSetting, startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

/** Everything that a client could send in the hope that it reaches the backend as ours, or for ours. */
const forged = [
  ['Authorization', 'Bearer forged'],
  ['X-Access-Token', 'forged'],
  ['x-access-token', 'forged too'],
  ['X_Access_Token', 'forged with underscores'],
  ['X-Id-Token', 'forged'],
  ['X-Client-Id', 'somebody'],
  ['X-Client-Secret', 'a secret'],
  ['X-Scope', 'admin'],
  ['X-Mine', 'kept'],
].flat()

/** A proxy as small as can be that reads nothing but `rawHeaders`. */
function rawProxy(backend: RecordingServer): RequestListener {
  return (incoming, outgoing) => {
    const { method, url, rawHeaders } = incoming
    const options = { method, path: url, headers: rawHeaders as never, agent: false } as const
    const forwarded = httpRequest(backend.url, options, answer => {
      outgoing.writeHead(answer.statusCode ?? 502)
      answer.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  }
}

const batch = { clientId: 'batch', clientSecret: 'batch-secret' }

/** One that passes on the challenge of the backend as well. */
function forwardingHeaders({ url }: RecordingServer): RequestListener {
  return createProxyMiddleware({ target: url, changeOrigin: true }) as RequestListener
}

const proxies: [string, (backend: RecordingServer) => RequestListener][] = [
  [
    'http-proxy-middleware',
    ({ url }) => createProxyMiddleware({ target: url, changeOrigin: true }) as RequestListener,
  ],
  ['a proxy that reads rawHeaders', rawProxy],
]

async function send(server: Listening, lines: string[], body = ''): Promise<string> {
  const socket = connect(server.port, '127.0.0.1')
  const host = `Host: x\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  const fields = lines.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
  socket.write(`PUT /orders/1?x=2 HTTP/1.1\r\n${host}${fields}\r\n${body}`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

describe.each(expressVersions)('attachToken in %s', (_version, express) => {
  interface App {
    readonly options?: AttachTokenOptions
    readonly broker?: TokenBroker
    readonly proxy?: (backend: RecordingServer) => RequestListener
    readonly errors?: unknown[]
  }

  function proxying(
    setting: ExpressSetting,
    { options, broker, proxy = rawProxy, errors = [] }: App = {},
  ): Promise<Listening> {
    const app = express()
    app.use(attachToken(broker ?? setting.broker, options))
    app.use(proxy(setting.backend))
    app.use((error: unknown, _request: unknown, _response: unknown, next: (error: unknown) => void) => {
      errors.push(error)
      next(error)
    })
    app.use(brokerErrorHandler())
    return listening(app)
  }

  test.each(proxies)(
    '%s forwards the token, the body, and nothing that the client forged',
    async (_name, proxy) => {
      await using setting = await startSetting()
      await using server = await proxying(setting, { proxy })
      expect(await send(server, forged, 'a body')).toMatch(/^HTTP\/1.1 200 .*ok/s)
      const token = setting.broker.peekToken()?.accessToken
      const [received] = setting.backend.requests
      expect(received).toMatchObject({ method: 'PUT', path: '/orders/1?x=2', body: 'a body' })
      const { host, connection, 'x-forwarded-for': _for, ...headers } = received?.headers ?? {}
      expect(headers).toEqual({
        authorization: `Bearer ${token}`,
        'x-access-token': token,
        'x-mine': 'kept',
        'content-length': '6',
      })
    },
  )

  test.each(proxies)(
    '%s passes on redirects, and the place they lead to receives nothing',
    async (_name, proxy) => {
      await using setting = await startSetting()
      await using server = await proxying(setting, { proxy })
      setting.backend.answer = (_, response) => {
        response.writeHead(307, { location: `${setting.elsewhere.url}/v1` }).end('moved')
      }
      expect(await send(server, forged, 'a body')).toMatch(/^HTTP\/1.1 307 .*moved/s)
      expect(setting.elsewhere.requests).toEqual([])
      expect(setting.backend.requests).toHaveLength(1)
    },
  )

  test.each(proxies)(
    '%s streams large bodies both ways while the token is on its way',
    async (_name, proxy) => {
      await using setting = await startSetting()
      await using server = await proxying(setting, { proxy })
      setting.backend.answer = ({ body }, response) => response.end(body)
      const body = 'x'.repeat(4 * 1024 * 1024)
      const answer = await fetch(server.url, { method: 'PUT', body, headers: { connection: 'close' } })
      expect(await answer.text()).toBe(body)
      expect(setting.backend.requests[0]?.headers['x-access-token']).toBe(
        setting.broker.peekToken()?.accessToken,
      )
    },
  )

  test('a backend that closes half-way ends the connection of the client too, and nothing stays open', async () => {
    await using setting = await startSetting()
    const proxy = proxies[0]?.[1]
    await using server = await proxying(setting, proxy && { proxy })
    setting.backend.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    }
    const answer = await fetch(server.url)
    await expect(answer.text()).rejects.toThrow()
    await expect.poll(() => setting.backend.openConnections()).toBe(0)
  })

  test('what follows sees the same in headers, headersDistinct and rawHeaders, looked at before or not', async () => {
    await using setting = await startSetting()
    const seen: IncomingMessage[] = []
    const app = express()
    app.use((request, _response, next) => {
      if (request.url.includes('looked')) void request.headersDistinct['x-mine']
      next()
    })
    app.use(attachToken(setting.broker), (request, response) => {
      seen.push(request)
      response.send('ok')
    })
    await using server = await listening(app)
    for (const path of ['/looked', '/not']) {
      await (
        await fetch(server.url + path, {
          headers: { authorization: 'x', 'x-id-token': 'x', 'x-mine': 'kept' },
        })
      ).text()
    }
    const token = setting.broker.peekToken()?.accessToken
    expect(seen).toHaveLength(2)
    for (const { headers, headersDistinct, rawHeaders } of seen) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${token}`,
        'x-access-token': token,
        'x-mine': 'kept',
      })
      expect(
        Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, values?.join()])),
      ).toEqual(headers)
      expect(
        rawHeaders.filter((text, index) => index % 2 === 0 && /^(authorization|x-)/i.test(text)),
      ).toEqual(['x-mine', 'authorization', 'x-access-token'])
      expect(headers).not.toHaveProperty('x-id-token')
    }
  })

  test('headersDistinct is right, whether the request has fewer lines than before or more', async () => {
    await using setting = await startSetting()
    const seen: unknown[] = []
    const app = express()
    app.use(attachToken(setting.broker), (request, response) => {
      const { host, connection, 'content-length': _, ...others } = request.headersDistinct
      seen.push(others)
      response.send('ok')
    })
    app.use((_error: unknown, _request: unknown, response: ServerResponse, _next: unknown) => {
      response.end('failed')
    })
    await using server = await listening(app)
    await send(server, forged)
    await send(server, [])
    const token = setting.broker.peekToken()?.accessToken
    const attached = { authorization: [`Bearer ${token}`], 'x-access-token': [token] }
    expect(seen).toEqual([{ 'x-mine': ['kept'], ...attached }, attached])
  })

  test('a header is the same with hyphens and with underscores, whichever of them is ours', async () => {
    await using setting = await startSetting()
    const { tokenEndpoint } = setting.dex
    const client = { clientId: 'batch', clientSecret: 'batch-secret' }
    const tokenHeaders = { access_token: 'x_access_token', absent: 'x_user' }
    await using broker = new TokenBroker({ tokenEndpoint, client, tokenHeaders })
    await using server = await proxying(setting, { broker })
    await send(server, ['X-User', 'forged', 'x_user', 'forged', 'X-Access-Token', 'forged'])
    const received = setting.backend.requests[0]?.headers ?? {}
    expect(Object.keys(received).filter(name => /^x.(user|access)/.test(name))).toEqual(['x_access_token'])
  })

  test('the token is the one that the options ask for, also by request', async () => {
    await using setting = await startSetting()
    await using constant = await proxying(setting, { options: { token: batch } })
    await using chosen = await proxying(setting, {
      options: { token: ({ headers }) => (headers['x-mine'] === 'kept' ? batch : {}) },
    })
    await send(constant, [])
    await send(chosen, forged)
    await send(chosen, [])
    const own = setting.broker.peekToken()?.accessToken
    const other = setting.broker.peekToken(batch)?.accessToken
    expect(setting.backend.requests.map(({ headers }) => headers['x-access-token'])).toEqual([
      other,
      other,
      own,
    ])
    expect(setting.dex.counts.tokenRequests).toBe(2)
  })

  test.each([undefined, 'Bearer error="invalid_token"'])(
    'a token that the backend refuses is not sent again (challenge: %s)',
    async challenge => {
      await using setting = await startSetting()
      const { broker, backend, dex } = setting
      await using server = await proxying(setting, { proxy: forwardingHeaders })
      const first = await broker.getToken()
      backend.answer = ({ headers }, response) => {
        const isDead = headers['x-access-token'] === first.accessToken
        if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
        response.writeHead(isDead ? 401 : 200).end()
      }
      expect(await send(server, [])).toMatch(/^HTTP\/1.1 401 /)
      await expect.poll(() => broker.peekToken()).toBeUndefined()
      expect(await send(server, [])).toMatch(/^HTTP\/1.1 200 /)
      expect(dex.counts.tokenRequests).toBe(2)
      // One that refuses everything does not cost a token for each request.
      backend.answer = (_, response) => response.writeHead(401).end()
      for (let calls = 0; calls < 5; calls++) await send(server, [])
      expect(dex.counts.tokenRequests).toBe(2)
    },
  )

  test('a token that is good but not good enough stays, and so does one that the answer says nothing about', async () => {
    await using setting = await startSetting()
    await using server = await proxying(setting, { proxy: forwardingHeaders })
    const answers = [[401, 'Bearer error="insufficient_scope"'], [403], [200], [500]] as const
    for (const [status, challenge] of answers) {
      setting.backend.answer = (_, response) => {
        if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
        response.writeHead(status).end()
      }
      expect(await send(server, [])).toMatch(`HTTP/1.1 ${status} `)
    }
    expect(setting.broker.peekToken()).toBeDefined()
    expect(setting.dex.counts.tokenRequests).toBe(1)
  })

  test('the token may be that of a named client, also by the caller', async () => {
    await using setting = await startSetting()
    await using constant = await proxying(setting, { options: { token: { client: 'nightly' } } })
    await using chosen = await proxying(setting, {
      options: {
        token: request => ({ client: request.headers['x-mine'] === 'kept' ? 'nightly' : 'default' }),
      },
    })
    await send(constant, [])
    await send(chosen, forged)
    await send(chosen, [])
    const own = setting.broker.peekToken()?.accessToken
    const other = setting.broker.peekToken({ client: 'nightly' })?.accessToken
    expect(setting.backend.requests.map(({ headers }) => headers['x-access-token'])).toEqual([
      other,
      other,
      own,
    ])
    const claims = JSON.parse(Buffer.from(other?.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ aud: batch.clientId })
  })

  test('a function may decide later, and what it decides is never taken for the broker’s own client', async () => {
    await using setting = await startSetting()
    const decided: unknown[] = [Promise.resolve(batch)]
    await using server = await proxying(setting, { options: { token: () => decided.shift() as never } })
    expect(await send(server, [])).toMatch(/^HTTP\/1.1 200 /)
    const token = setting.broker.peekToken(batch)?.accessToken
    expect(setting.backend.requests[0]?.headers['x-access-token']).toBe(token)
    const wrong = [
      undefined,
      null,
      'batch',
      { clientid: 'batch' },
      { client: undefined },
      { client: 'nobody' },
      Promise.resolve(undefined),
      { ...batch, audience: 'x' },
    ]
    for (const answer of wrong) {
      decided.push(answer)
      expect(await send(server, [])).toMatch(/^HTTP\/1.1 500 /)
    }
    expect(setting.backend.requests).toHaveLength(1)
    expect(setting.dex.counts.tokenRequests).toBe(1)
  })

  test('without a token nothing is forwarded, and the client gets the status of the error', async () => {
    await using setting = await startSetting()
    await using server = await proxying(setting)
    setting.dex.setFault('token', { kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
    expect(await send(server, forged, 'a body')).toMatch(/^HTTP\/1.1 502 .*"client_misconfigured"/s)
    await using failing = await proxying(setting, {
      options: {
        token: () => {
          throw new Error('which one?')
        },
      },
    })
    expect(await send(failing, [])).toMatch(/^HTTP\/1.1 500 /)
    await setting.broker.close()
    expect(await send(server, [])).toMatch(/^HTTP\/1.1 503 .*"the broker is closed"/s)
    expect(setting.backend.requests).toEqual([])
  })

  test('a client that leaves while the token is on its way is not answered, and the others get theirs', async () => {
    await using setting = await startSetting()
    const errors: unknown[] = []
    await using server = await proxying(setting, { errors })
    setting.dex.setFault('token', { kind: 'slow', delayMs: 300, times: 1 })
    const leaving = connect(server.port, '127.0.0.1')
    leaving.write('GET /left HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => setting.dex.counts.tokenRequests).toBe(1)
    const staying = send(server, [])
    leaving.destroy()
    await once(leaving, 'close')
    expect(await staying).toMatch(/^HTTP\/1.1 200 /)
    expect(setting.dex.counts.tokenRequests).toBe(1)
    expect(setting.backend.requests.map(({ path }) => path)).toEqual(['/orders/1?x=2'])
    expect(errors).toEqual([])
    await expect.poll(() => server.openConnections()).toBe(0)
  })

  test('a client that left before it was its turn is not forwarded', async () => {
    await using setting = await startSetting()
    const arrived = Promise.withResolvers<void>()
    const passed = Promise.withResolvers<void>()
    const app = express()
    app.use(async (_request, response, next) => {
      arrived.resolve()
      await once(response, 'close')
      next()
      passed.resolve()
    })
    app.use(attachToken(setting.broker), rawProxy(setting.backend))
    await using server = await listening(app)
    const leaving = connect(server.port, '127.0.0.1')
    leaving.write('GET /left HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.promise
    leaving.destroy()
    await passed.promise
    await setting.broker.getToken()
    await new Promise(resolve => setImmediate(resolve))
    expect(setting.backend.requests).toEqual([])
  })

  test('a thousand requests leave no listener on a connection that stays', async () => {
    await using setting = await startSetting()
    const counts = new Set<number>()
    const app = express()
    app.use(attachToken(setting.broker), attachToken(setting.broker), (request, response) => {
      counts.add(response.listenerCount('close') * 1000 + request.socket.listenerCount('close'))
      response.send('ok')
    })
    await using server = await listening(app)
    for (let calls = 0; calls < 1000; calls++) await (await fetch(server.url)).text()
    expect(counts.size).toBe(1)
  })

  test('several brokers in one app: each puts its own headers on, and takes none of the other away', async () => {
    await using setting = await startSetting()
    const { dex, backend } = setting
    await using audit = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      client: { clientId: 'batch', clientSecret: 'batch-secret' },
      authorizationHeader: 'x-audit',
      credentialHeaders: { clientId: 'x-audit-id', clientSecret: 'x-audit-secret', scope: 'x-audit-scope' },
    })
    const app = express()
    app.use(attachToken(setting.broker), attachToken(audit), rawProxy(backend))
    await using server = await listening(app)
    await send(server, [...forged, 'X-Audit', 'forged', 'X-Audit-Secret', 'forged'])
    expect(backend.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${setting.broker.peekToken()?.accessToken}`,
      'x-audit': `Bearer ${audit.peekToken()?.accessToken}`,
    })
    expect(backend.requests[0]?.headers).not.toHaveProperty('x-audit-secret')
    expect(backend.requests[0]?.headers['x-id-token']).toBeUndefined()
  })

  test('behind requireJwt the JWT of the caller does not reach the backend, whatever its header', async () => {
    await using setting = await startSetting()
    const { dex, backend } = setting
    await using broker = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      client: { clientId: 'portal', clientSecret: 'portal-secret' },
      authorizationHeader: 'x-dex',
      gate: { jwksUri: dex.jwksUri, audience: 'orders', jwtHeader: 'x-jwt' },
    })
    const app = express()
    app.use(requireJwt(broker), attachToken(broker))
    app.use((request, response, next) => {
      response.set('x-caller', String(authOf(request).claims['sub']))
      next()
    })
    app.use(rawProxy(backend))
    await using server = await listening(app)
    const response = await fetch(server.url, {
      headers: { 'x-jwt': setting.jwt({ sub: 'ada' }), authorization: 'Basic abc', 'x-dex': 'forged' },
    })
    expect(response.status).toBe(200)
    const headers = backend.requests[0]?.headers
    expect(headers?.['x-dex']).toBe(`Bearer ${broker.peekToken()?.accessToken}`)
    expect(headers).not.toHaveProperty('x-jwt')
    expect(headers).not.toHaveProperty('authorization')
  })

  test('in front of requireJwt it does not open the gate with its own token', async () => {
    await using setting = await startSetting()
    const app = express()
    app.use(attachToken(setting.broker), requireJwt(setting.broker), rawProxy(setting.backend))
    app.use(
      (
        error: unknown,
        _request: unknown,
        response: { status(code: number): { send(text: string): void } },
        _next: unknown,
      ) => {
        response.status(500).send(String(error))
      },
    )
    await using server = await listening(app)
    expect(await send(server, [])).toContain('TypeError: requireJwt must come before attachToken')
    expect(setting.backend.requests).toEqual([])
  })

  test.each([
    [{ token: 'portal' }, 'token must be'],
    [{ token: { clientId: '' } }, 'token: client id or client secret is missing'],
    [{ token: { audiences: ['a b'] } }, 'token: an audience'],
    [{ token: { client: 'nobody' } }, 'token: client: "nobody" is not a client'],
  ])('wrong options %j are refused by name', async (options, message) => {
    await using setting = await startSetting()
    expect(() => attachToken(setting.broker, options as never)).toThrow(message)
  })
})
