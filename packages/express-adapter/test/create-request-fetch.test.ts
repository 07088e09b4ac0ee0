import { getEventListeners, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { TokenBroker } from '@broker/core'
import { type Listening, listening, type RecordingServer } from '@broker/testing'
import type { Response as ExpressResponse, Request } from 'express'
import { describe, expect, test } from 'vitest'
import { authOf, brokerErrorHandler, createRequestFetch, requireJwt } from '../src/index.ts'
import { type ExpressSetting, startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

type Fetch = typeof globalThis.fetch
type Route = (fetch: Fetch, request: Request, response: ExpressResponse) => Promise<void>

/** A client that sends one request and can leave. */
async function client(server: Listening): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1').on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return socket
}

describe.each(expressVersions)('createRequestFetch in %s', (_version, express) => {
  /** An app whose one route makes calls; what reaches the error handlers behind the broker's is kept. */
  async function calling(
    { broker, backend }: ExpressSetting,
    route: Route,
    errors: unknown[] = [],
  ): Promise<Listening> {
    const requestFetch = createRequestFetch(broker, { allow: [`${backend.url}/v1`] })
    const app = express()
    app.use((request, response, next) => {
      route(requestFetch(request), request, response).catch(next)
    })
    app.use(brokerErrorHandler())
    app.use((error: unknown, _request: unknown, response: ExpressResponse, _next: unknown) => {
      errors.push(error)
      response.status(500).end()
    })
    return listening(app)
  }

  /** The status and the text with which a route ends that makes one call. */
  async function callOnce(setting: ExpressSetting, path: string, init?: RequestInit): Promise<string> {
    await using server = await calling(setting, async (fetch, _request, response) => {
      const answer = await fetch(path.startsWith('/') ? setting.backend.url + path : path, init)
      response.send(`${answer.status} ${await answer.text()}`)
    })
    const answer = await fetch(server.url, {
      headers: { connection: 'close', 'x-client-secret': 'of the client' },
    })
    return answer.text()
  }

  test('calls an allowed place with the token, and passes on nothing of the incoming request', async () => {
    await using setting = await startSetting()
    expect(await callOnce(setting, '/v1/orders', { method: 'POST', body: 'three' })).toBe('200 ok')
    const token = setting.broker.peekToken()?.accessToken
    expect(setting.backend.requests).toMatchObject([{ method: 'POST', path: '/v1/orders', body: 'three' }])
    expect(setting.backend.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'x-access-token': token,
    })
    expect(setting.backend.requests[0]?.headers).not.toHaveProperty('x-client-secret')
  })

  test('takes a Request, a Request as init, and null for no signal', async () => {
    await using setting = await startSetting()
    const url = `${setting.backend.url}/v1`
    await using server = await calling(setting, async (fetch, _request, response) => {
      await (await fetch(new Request(url, { method: 'PUT', body: 'one' }))).text()
      await (await fetch(url, new Request(url, { method: 'DELETE' }))).text()
      await (await fetch(url, { signal: null })).text()
      response.send('done')
    })
    await (await fetch(server.url)).text()
    expect(setting.backend.requests.map(({ method, body }) => method + body)).toEqual([
      'PUTone',
      'DELETE',
      'GET',
    ])
    expect(setting.backend.requests.every(({ headers }) => 'x-access-token' in headers)).toBe(true)
  })

  const elsewhere: [string, (setting: ExpressSetting) => string][] = [
    ['another origin', ({ elsewhere: { port } }) => `http://localhost:${port}/v1`],
    ['another port', setting => `${setting.elsewhere.url}/v1`],
    ['a path outside the prefix', setting => `${setting.backend.url}/v10`],
  ]
  test.each(elsewhere)('a redirect to %s is not followed, whatever the status', async (_name, target) => {
    await using setting = await startSetting()
    const { backend } = setting
    backend.answer = ({ path }, response) => {
      const status = Number(path.slice('/v1/'.length))
      response.writeHead(status, { location: target(setting) }).end('moved')
    }
    for (const status of [301, 302, 303, 307, 308]) {
      const method = status === 307 ? { method: 'POST', body: 'a secret body' } : {}
      expect(await callOnce(setting, `/v1/${status}`, method)).toBe(`${status} moved`)
    }
    expect(setting.elsewhere.requests).toEqual([])
    expect(backend.requests.map(({ path }) => path)).toEqual(
      [301, 302, 303, 307, 308].map(status => `/v1/${status}`),
    )
  })

  test('a 307 inside the prefix is followed with its body and the token', async () => {
    await using setting = await startSetting()
    setting.backend.answer = ({ path }, response) => {
      if (path === '/v1/old') response.writeHead(307, { location: '/v1/new' }).end()
      else response.end('arrived')
    }
    expect(await callOnce(setting, '/v1/old', { method: 'PUT', body: 'three' })).toBe('200 arrived')
    expect(setting.backend.requests[1]).toMatchObject({ method: 'PUT', path: '/v1/new', body: 'three' })
    expect(setting.backend.requests[1]?.headers['x-access-token']).toBe(
      setting.broker.peekToken()?.accessToken,
    )
  })

  test('another origin that is called outright receives what the route set, header by header, and no more', async () => {
    await using setting = await startSetting()
    await callOnce(setting, `${setting.elsewhere.url}/v1`, { headers: { 'x-mine': 'kept' } })
    const [received] = setting.elsewhere.requests
    const {
      host,
      connection,
      accept,
      'accept-encoding': _encoding,
      'accept-language': _language,
      ...rest
    } = received?.headers ?? {}
    expect(rest).toEqual({ 'x-mine': 'kept', 'sec-fetch-mode': 'cors', 'user-agent': 'node' })
    expect(setting.dex.counts.tokenRequests).toBe(0)
  })

  test('a 401 is answered once with a new token, and for ever or for the scope it is passed on', async () => {
    await using setting = await startSetting()
    const { backend, dex } = setting
    const refuse = (response: ServerResponse, challenge: string) =>
      response.writeHead(401, { 'www-authenticate': challenge }).end('no')
    let first: unknown
    backend.answer = ({ headers }, response) => {
      first ??= headers.authorization
      if (headers.authorization === first) refuse(response, 'Bearer error="invalid_token"')
      else response.end('ok')
    }
    expect(await callOnce(setting, '/v1/once', { method: 'POST', body: 'again' })).toBe('200 ok')
    expect(backend.requests.map(({ body }) => body)).toEqual(['again', 'again'])
    expect(dex.counts.tokenRequests).toBe(2)
    backend.answer = (_, response) => refuse(response, 'Bearer error="insufficient_scope"')
    expect(await callOnce(setting, '/v1/scope')).toBe('401 no')
    backend.answer = (_, response) => refuse(response, 'Bearer')
    expect(await callOnce(setting, '/v1/ever')).toBe('401 no')
    expect(backend.requests.filter(({ path }) => path === '/v1/scope')).toHaveLength(1)
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('without a token the route answers with the status of the error, and the backend receives nothing', async () => {
    await using setting = await startSetting()
    setting.dex.setFault('token', { kind: 'answer', status: 429, headers: { 'retry-after': '7' } })
    await using server = await calling(
      setting,
      async fetch => void (await fetch(`${setting.backend.url}/v1`)),
    )
    const answer = await fetch(server.url)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    await setting.broker.close()
    expect(await (await fetch(server.url)).json()).toMatchObject({
      error_description: 'the broker is closed',
    })
    expect(setting.backend.requests).toEqual([])
  })

  test('that the backend closes half-way reaches the route', async () => {
    await using setting = await startSetting()
    setting.backend.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    }
    const errors: unknown[] = []
    await using server = await calling(
      setting,
      async (fetch, _request, response) => {
        response.send(
          await (await fetch(`${setting.backend.url}/v1`, { signal: AbortSignal.timeout(10_000) })).text(),
        )
      },
      errors,
    )
    expect((await fetch(server.url)).status).toBe(500)
    expect(errors).toHaveLength(1)
  })

  const stages: [string, (setting: ExpressSetting) => () => boolean][] = [
    [
      'the token is on its way',
      ({ dex }) => {
        dex.setFault('token', { kind: 'hang' })
        return () => dex.counts.tokenRequests === 1
      },
    ],
    [
      'the backend thinks',
      ({ backend }) => {
        backend.answer = () => {}
        return () => backend.requests.length === 1
      },
    ],
    ['the response streams', ({ backend }) => streamed(backend)],
  ]
  /** Sends a first part and never ends. */
  function streamed(backend: RecordingServer): () => boolean {
    let sent = false
    backend.answer = (_, response) => {
      response.write('first part', () => {
        sent = true
      })
    }
    return () => sent
  }

  describe.each(stages)('a client that leaves while %s', (_stage, prepare) => {
    test.each([
      ['of its own', true],
      ['left out', false],
    ])('ends the call, with a signal %s, and nobody answers', async (_name, hasOwn) => {
      await using setting = await startSetting()
      const isReached = prepare(setting)
      const errors: unknown[] = []
      const own = new AbortController()
      const ended = Promise.withResolvers<unknown>()
      await using server = await calling(
        setting,
        async fetch => {
          try {
            const answer = await fetch(
              `${setting.backend.url}/v1`,
              hasOwn ? { signal: own.signal } : undefined,
            )
            await answer.text()
          } catch (error) {
            ended.resolve(error)
            throw error
          }
        },
        errors,
      )
      const leaving = await client(server)
      await expect.poll(isReached).toBe(true)
      leaving.destroy()
      expect(await ended.promise).toMatchObject({
        name: 'AbortError',
        message: 'the client closed the connection',
      })
      await expect.poll(() => setting.backend.underWay).toBe(0)
      expect(errors).toEqual([])
      expect(getEventListeners(own.signal, 'abort')).toHaveLength(0)
    })
  })

  test("a call's own signal ends that call with its own reason, before and during it", async () => {
    await using setting = await startSetting()
    const isReached = streamed(setting.backend)
    const reason = new Error('too slow')
    const own = new AbortController()
    await using server = await calling(setting, async (fetch, _request, response) => {
      const url = `${setting.backend.url}/v1`
      await expect(fetch(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const answer = await fetch(new Request(url, { signal: own.signal }))
      await expect.poll(isReached).toBe(true)
      own.abort(reason)
      const ending = await answer.text().catch((error: unknown) => error)
      // The fetch of Node 22 keeps the reason of a body that ends to itself.
      if (process.version.startsWith('v22.')) expect(ending).toMatchObject({ name: 'AbortError' })
      else expect(ending).toBe(reason)
      response.send('its own reason')
    })
    expect(await (await fetch(server.url)).text()).toBe('its own reason')
  })

  test('a signal that lives long has no listener left, however many calls used it and however they ended', async () => {
    await using setting = await startSetting()
    const { backend } = setting
    const shutdown = new AbortController()
    const counts: number[] = []
    backend.answer = ({ path }, response) => {
      if (path === '/v1/none') response.writeHead(204).end()
      else if (path === '/v1/gone') response.destroy()
      else response.end('ok')
    }
    await using server = await calling(setting, async (fetch, _request, response) => {
      const { signal } = shutdown
      for (let calls = 0; calls < 20; calls++) {
        const read = await fetch(`${backend.url}/v1/read`, { signal })
        await read.text()
        const cancelled = await fetch(`${backend.url}/v1/cancelled`, { signal })
        await cancelled.body?.cancel()
        await fetch(`${backend.url}/v1/none`, { signal })
        await fetch(`${backend.url}/v1/gone`, { signal }).catch(() => {})
      }
      await new Promise(resolve => setImmediate(resolve))
      counts.push(getEventListeners(signal, 'abort').length, response.listenerCount('close'))
      await fetch(`${backend.url}/v1/not-read`, { signal })
      counts.push(getEventListeners(signal, 'abort').length, response.listenerCount('close'))
      response.send('done')
    })
    await (await fetch(server.url, { headers: { connection: 'close' } })).text()
    expect(counts[0]).toBe(0)
    expect(counts[2]).toBe(1)
    expect(counts[3]).toBe(counts[1])
    await expect.poll(() => getEventListeners(shutdown.signal, 'abort').length).toBe(0)
  })

  test('a call that goes on when the answer is finished still ends with its own signal', async () => {
    await using setting = await startSetting()
    const isReached = streamed(setting.backend)
    const own = new AbortController()
    const read = Promise.withResolvers<unknown>()
    await using server = await calling(setting, async (fetch, _request, response) => {
      const answer = await fetch(`${setting.backend.url}/v1`, { signal: own.signal })
      const reading = answer.text()
      response.send('accepted')
      await once(response, 'close')
      reading.catch(read.resolve)
    })
    expect(await (await fetch(server.url, { headers: { connection: 'close' } })).text()).toBe('accepted')
    await expect.poll(isReached).toBe(true)
    const reason = new Error('enough')
    own.abort(reason)
    expect(await read.promise).toBe(reason)
  })

  test('several brokers in one app: each call has the token of its own', async () => {
    await using setting = await startSetting()
    const { backend, elsewhere: other, dex } = setting
    await using batch = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      client: { clientId: 'batch', clientSecret: 'batch-secret' },
    })
    const toBackend = createRequestFetch(setting.broker, { allow: [backend.url] })
    const toOther = createRequestFetch(batch, { allow: [other.url] })
    const app = express()
    app.use((request, response, next) => {
      Promise.all([toBackend(request)(backend.url), toOther(request)(other.url)])
        .then(answers => Promise.all(answers.map(answer => answer.text())))
        .then(texts => response.send(texts.join()), next)
    })
    await using server = await listening(app)
    expect(await (await fetch(server.url)).text()).toBe('ok,ok')
    expect(backend.requests[0]?.headers.authorization).toBe(
      `Bearer ${setting.broker.peekToken()?.accessToken}`,
    )
    expect(other.requests[0]?.headers.authorization).toBe(`Bearer ${batch.peekToken()?.accessToken}`)
    expect(other.requests[0]?.headers.authorization).not.toBe(backend.requests[0]?.headers.authorization)
  })

  test('has the token that a function chooses by the caller, once for each request that needs one', async () => {
    await using setting = await startSetting()
    const { backend, elsewhere } = setting
    let calls = 0
    const requestFetch = createRequestFetch(setting.broker, {
      allow: [backend.url],
      token: async request => {
        calls++
        return { client: authOf(request).subject === 'robot' ? 'nightly' : 'default' }
      },
    })
    const app = express()
    app.use(requireJwt(setting.broker))
    app.use((request, response, next) => {
      const send = requestFetch(request)
      Promise.all(
        (request.url === '/away' ? [elsewhere.url] : [backend.url, backend.url]).map(url => send(url)),
      ).then(() => response.end(), next)
    })
    await using server = await listening(app)
    const ask = (sub: string, path = '/') =>
      fetch(server.url + path, { headers: { authorization: `Bearer ${setting.jwt({ sub })}` } })
    await ask('robot')
    await ask('alice')
    await ask('robot', '/away')
    const [robots, own] = [setting.broker.peekToken({ client: 'nightly' }), setting.broker.peekToken()]
    expect(backend.requests.map(({ headers }) => headers.authorization)).toEqual(
      [robots, robots, own, own].map(token => token?.headers['authorization']),
    )
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined()
    expect(calls).toBe(2)
    expect(setting.dex.counts.tokenRequests).toBe(2)
  })

  test('sends nothing when the function returns anything but a token request', async () => {
    await using setting = await startSetting()
    const results: unknown[] = [
      undefined,
      { clientid: 'x' },
      { client: undefined },
      { client: 'nobody' },
      new Error('which one?'),
    ]
    const errors: unknown[] = []
    const requestFetch = createRequestFetch(setting.broker, {
      allow: [setting.backend.url],
      token: () => {
        const result = results[errors.length]
        if (result instanceof Error) throw result
        return result as never
      },
    })
    const app = express()
    app.use((request, _response, next) => {
      requestFetch(request)(setting.backend.url).then(() => next(), next)
    })
    app.use((error: Error, _request: Request, response: ExpressResponse, _next: unknown) => {
      errors.push(error.message)
      response.status(500).end()
    })
    await using server = await listening(app)
    for (const _ of results) expect((await fetch(server.url)).status).toBe(500)
    expect(errors).toEqual([
      'token must return a token request',
      expect.stringContaining('token.clientid is not an option'),
      'client must be a string',
      expect.stringContaining('client: "nobody" is not a client'),
      'which one?',
    ])
    expect(setting.backend.requests).toEqual([])
  })

  test('refuses wrong options by name, and a request that Express does not handle', async () => {
    await using setting = await startSetting()
    expect(() => createRequestFetch(setting.broker, { allow: [] })).toThrow('allow must be')
    expect(() => createRequestFetch(setting.broker, { allow: [], token: () => ({}) })).toThrow(
      'allow must be',
    )
    const requestFetch = createRequestFetch(setting.broker, { allow: [setting.backend.url] })
    expect(() => requestFetch({} as never)).toThrow('request must come from')
  })
})
