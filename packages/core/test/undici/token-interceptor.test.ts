import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as undici from 'undici'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { tokenInterceptor } from '../../src/undici/token-interceptor.ts'
import { undiciTransport } from '../../src/undici/undici-transport.ts'
import { caughtUp, failureOf, orders, until } from '../broker-with-dex.ts'
import {
  answerOnly,
  linesOf,
  ownFetchTakesUndici8,
  refuseFirstToken,
  tokensOf,
} from '../outbound/outgoing-calls.ts'
import { clients, startInterceptedCalls } from './clients.ts'

describe.each(Object.entries(clients))('%s', (_, { version, client, replays }) => {
  test('carries the token in every header of it, and waits for it only once', async () => {
    await using out = await startInterceptedCalls({ version })
    for (let calls = 0; calls < 3; calls++) {
      const answer = await client(out.dispatcher, `${out.backend.url}/orders?x`, {
        headers: { 'x-mine': 'kept' },
      })
      expect(answer).toMatchObject({ status: 200, text: 'ok' })
    }
    const token = out.broker.peekToken()?.accessToken
    expect(tokensOf(out.backend)).toEqual([token, token, token])
    expect(out.backend.requests[0]).toMatchObject({ path: '/orders?x', headers: { 'x-mine': 'kept' } })
    expect(out.dex.counts.tokenRequests).toBe(1)
  })

  test('leaves alone what goes to other places, and the own authorization of a caller', async () => {
    await using out = await startInterceptedCalls({
      version,
      options: ({ backend }) => ({ allow: [`${backend.url}/v1`] }),
    })
    await client(out.dispatcher, `${out.elsewhere.url}/v1`)
    await client(out.dispatcher, `${out.backend.url}/v1x`)
    await client(out.dispatcher, `${out.backend.url}/v1/..%2fadmin`)
    await client(out.dispatcher, `${out.backend.url}/v1/own`, { headers: { Authorization: 'Bearer mine' } })
    const received = [...out.elsewhere.requests, ...out.backend.requests].map(({ headers }) => headers)
    expect(received.map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
      undefined,
      'Bearer mine',
    ])
    for (const headers of received) expect(headers).not.toHaveProperty('x-access-token')
    await caughtUp(out.dex)
    expect(out.dex.counts.tokenRequests).toBe(0)
  })

  test('replaces the own authorization of a caller on demand', async () => {
    await using out = await startInterceptedCalls({
      version,
      options: () => ({ ownAuthorization: 'replace' }),
    })
    await client(out.dispatcher, out.backend.url, {
      headers: { Authorization: 'Bearer mine', 'X-Access-Token': 'mine' },
    })
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })

  test('sends nothing without a token, and says why', async () => {
    await using out = await startInterceptedCalls({ version })
    out.dex.setFault('token', { kind: 'reset' })
    const failure = await client(out.dispatcher, out.backend.url).catch((error: Error) => error)
    expect(
      [failure, (failure as Error).cause].find(error => (error as { code?: string })?.code),
    ).toMatchObject({
      code: 'token_endpoint_unavailable',
    })
    expect(out.backend.requests).toEqual([])
  })

  test('lets a caller leave while it waits for the token', async () => {
    await using out = await startInterceptedCalls({ version })
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const reason = new Error('left')
    const called = client(out.dispatcher, out.backend.url, { signal: leaving.signal })
    await until(() => out.dex.counts.tokenRequests === 1)
    leaving.abort(reason)
    await expect(called).rejects.toBe(reason)
    expect(out.backend.requests).toEqual([])
  })

  test('is sent once more after a 401, with another token', async () => {
    await using out = await startInterceptedCalls({ version, answer: refuseFirstToken('Bearer') })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 200, text: 'ok' })
    const [refused, accepted] = tokensOf(out.backend)
    expect(accepted).toBe(out.broker.peekToken()?.accessToken)
    expect(accepted).not.toBe(refused)
  })

  test.each(['text', Buffer.from('bytes'), new Uint8Array([65, 66])])(
    'is sent once more with a body %s',
    async body => {
      await using out = await startInterceptedCalls({ version, answer: refuseFirstToken() })
      const answer = await client(out.dispatcher, out.backend.url, { method: 'POST', body })
      expect(answer.status).toBe(replays ? 200 : 401)
      expect(out.backend.requests.map(request => request.body)).toEqual(
        Array.from({ length: replays ? 2 : 1 }, () => Buffer.from(body).toString()),
      )
      await until(() => out.broker.peekToken() !== undefined)
      expect((await client(out.dispatcher, out.backend.url, { method: 'POST', body })).status).toBe(200)
      expect(out.dex.counts.tokenRequests).toBe(2)
    },
  )

  test('gets a 401 for a token without enough scope as it is', async () => {
    const challenge = 'Bearer error="insufficient_scope"'
    await using out = await startInterceptedCalls({ version, answer: answerOnly(() => false, challenge) })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 401, text: 'not you' })
    expect(out.dex.counts.tokenRequests).toBe(1)
  })

  test('gets the 401 with its body when there is no other token', async () => {
    const text = 'x'.repeat(300_000)
    await using out = await startInterceptedCalls({
      version,
      answer: (_request, response) => void response.writeHead(401, { 'x-why': 'because' }).end(text),
    })
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'slow', delayMs: 50 })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 401, text })
    out.clock.advance(10_000)
    out.dex.setFault('token', { kind: 'html' })
    const answer = await client(out.dispatcher, out.backend.url)
    expect(answer).toMatchObject({ status: 401, text, headers: { 'x-why': 'because' } })
    expect(out.backend.requests).toHaveLength(3)
  })

  test('gets the 401 of a backend that closes its connection meanwhile', async () => {
    await using out = await startInterceptedCalls({
      version,
      answer: (_request, response) => void response.writeHead(401, { connection: 'close' }).end('bye'),
    })
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'answer', status: 500, body: 'no' })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 401, text: 'bye' })
  })

  test('twenty refusals of one token at the same time cost one new token', async () => {
    await using out = await startInterceptedCalls({ version, answer: refuseFirstToken() })
    await out.broker.getToken()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client(out.dispatcher, out.backend.url)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(out.dex.counts.tokensIssued).toBe(2)
  })

  test('a backend that refuses every token costs two tokens for 200 calls', async () => {
    await using out = await startInterceptedCalls({ version, answer: answerOnly(() => false) })
    for (let calls = 0; calls < 200; calls++) {
      expect((await client(out.dispatcher, out.backend.url)).status).toBe(401)
    }
    expect(out.dex.counts.tokensIssued).toBe(2)
  })

  test('a 401 without end is cut off before the second try', async () => {
    const refuse = refuseFirstToken()
    await using out = await startInterceptedCalls({
      version,
      answer: (request, response) => {
        if (out.backend.requests.length > 1) return refuse(request, response)
        refuse(request, { writeHead: () => ({ end() {} }) } as never)
        response.writeHead(401)
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        }
        response.on('drain', more)
        more()
      },
    })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 200, text: 'ok' })
  })

  test('a 401 that stands still is cut off before the second try', async () => {
    const refuse = refuseFirstToken()
    await using out = await startInterceptedCalls({
      version,
      answer: (request, response) => {
        if (out.backend.requests.length > 1) return refuse(request, response)
        refuse(request, { writeHead: () => ({ end() {} }) } as never)
        response.writeHead(401).write('wait for it')
      },
    })
    expect(await client(out.dispatcher, out.backend.url)).toMatchObject({ status: 200, text: 'ok' })
  })

  test('a large answer and a large body pass through', async () => {
    const text = 'x'.repeat(3_000_000)
    await using out = await startInterceptedCalls({
      version,
      answer: ({ body }, response) => void response.end(body),
    })
    expect(await client(out.dispatcher, out.backend.url, { method: 'POST', body: text })).toMatchObject({
      text,
    })
  })

  test('a backend that closes half-way is an error', async () => {
    await using out = await startInterceptedCalls({
      version,
      answer: (_request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half', () => response.destroy())
      },
    })
    await expect(client(out.dispatcher, out.backend.url)).rejects.toThrow()
    expect(out.backend.requests).toHaveLength(1)
  })
})

describe('with a redirect interceptor', () => {
  const { redirect } = undici.interceptors
  const redirected = (out: { dispatcher: undici.Dispatcher }, url: string, options: object = {}) =>
    undici.request(url, { dispatcher: out.dispatcher, ...options }).then(async ({ statusCode, body }) => {
      await body.text()
      return statusCode
    })

  test.each([301, 302, 303, 307, 308])('outside, every hop of %i is judged anew', async status => {
    const places: string[] = []
    await using out = await startInterceptedCalls({
      answer: ({ path }, response) => {
        const location = places[Number(path.slice(1))]
        if (location === undefined) response.end('ok')
        else response.writeHead(status, { location }).end()
      },
      compose: (agent, ours) => agent.compose(ours, redirect({ maxRedirections: 5 })),
    })
    places.push(`${out.backend.url}/1`, `${out.elsewhere.url}/there`)
    expect(await redirected(out, `${out.backend.url}/0`, { method: 'POST', body: 'text' })).toBe(200)
    const token = out.broker.peekToken()?.accessToken
    expect(tokensOf(out.backend)).toEqual([token, token])
    expect(tokensOf(out.elsewhere)).toEqual([undefined])
    expect(JSON.stringify(out.elsewhere.requests)).not.toContain(token)
  })

  test('inside, redirects are not followed', async () => {
    await using out = await startInterceptedCalls({
      answer: (_, response) => void response.writeHead(302, { location: out.elsewhere.url }).end(),
      compose: (agent, ours) => agent.compose(redirect({ maxRedirections: 5 }), ours),
    })
    expect(await redirected(out, out.backend.url)).toBe(302)
    expect(out.elsewhere.requests).toEqual([])
    expect(linesOf(out.backend)).toEqual(['GET /'])
  })

  test('a fetch that follows redirects by itself takes nothing of ours along', async () => {
    await using out = await startInterceptedCalls({
      answer: (_, response) => void response.writeHead(302, { location: out.elsewhere.url }).end(),
    })
    await (await undici.fetch(out.backend.url, { dispatcher: out.dispatcher })).text()
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
    expect(tokensOf(out.elsewhere)).toEqual([undefined])
  })
})

describe('headers', () => {
  test.each([
    ['a flat list', () => ['X-Mine', 'a', 'x-access-token', 'forged', 'X-Mine', 'b', 'accept', 'text/x']],
    [
      'an object',
      () => ({
        'X-Mine': ['a', 'b'],
        'X-Access-Token': 'forged',
        accept: 'text/x',
        authorization: undefined,
      }),
    ],
    [
      'a Map',
      () =>
        new Map<string, string | string[]>([
          ['X-Mine', ['a', 'b']],
          ['accept', 'text/x'],
        ]),
    ],
    [
      'Headers',
      () =>
        new Headers([
          ['x-mine', 'a'],
          ['x-mine', 'b'],
          ['x-access-token', 'forged'],
          ['accept', 'text/x'],
        ]),
    ],
    ['an iterator', () => Object.entries({ 'x-mine': ['a', 'b'], accept: 'text/x' })[Symbol.iterator]()],
    ['nothing', () => undefined],
  ])('may be %s, and stay as they are', async (name, make) => {
    await using out = await startInterceptedCalls({ answer: refuseFirstToken() })
    const headers = make() as never
    const before = name === 'an iterator' ? undefined : structuredClone([...Object.entries(headers ?? {})])
    const { statusCode, body } = await undici.request(out.backend.url, {
      dispatcher: out.dispatcher,
      headers,
    })
    await body.text()
    expect(statusCode).toBe(200)
    expect(out.backend.requests).toHaveLength(2)
    expect(tokensOf(out.backend)[1]).toBe(out.broker.peekToken()?.accessToken)
    for (const request of out.backend.requests) {
      expect(request.headers['x-mine']).toBe(name === 'nothing' ? undefined : 'a, b')
      expect(request.headers.accept).toBe(name === 'nothing' ? undefined : 'text/x')
    }
    if (before !== undefined) expect([...Object.entries(headers ?? {})]).toEqual(before)
  })

  test('that undici refuses are refused by undici', async () => {
    await using out = await startInterceptedCalls()
    for (const headers of [['odd'], 'text', [['a', 'b']]] as never[]) {
      await expect(undici.request(out.backend.url, { dispatcher: out.dispatcher, headers })).rejects.toThrow()
    }
    expect(out.backend.requests).toEqual([])
  })

  test('of a caller with an authorization of its own survive an iterator', async () => {
    await using out = await startInterceptedCalls()
    const headers = Object.entries({ authorization: 'Bearer mine' })[Symbol.iterator]() as never
    await (await undici.request(out.backend.url, { dispatcher: out.dispatcher, headers })).body.text()
    expect(out.backend.requests[0]?.headers.authorization).toBe('Bearer mine')
  })
})

test('paths that are written with dot segments are outside a prefix', async () => {
  await using out = await startInterceptedCalls({
    options: ({ backend }) => ({ allow: [`${backend.url}/v1`] }),
  })
  for (const path of [
    '/v1/../admin',
    '/other/../v1/x',
    '//127.0.0.1:1/v1',
    'http://127.0.0.1:1/v1',
    '/v1/x',
  ]) {
    const { body } = await out.dispatcher.request({ origin: out.backend.url, path, method: 'GET' })
    await body.text()
  }
  expect(tokensOf(out.backend).map(token => token !== undefined)).toEqual([false, false, false, false, true])
})

describe('what is judged is what is dispatched', () => {
  /** What the last dispatch of a request would be sent with, without sending it. */
  async function dispatched(
    optsOf: (allowed: string) => object,
  ): Promise<{ opts: undici.Dispatcher.DispatchOptions; hasToken: boolean; allowed: string }> {
    await using out = await startInterceptedCalls()
    await out.broker.getToken()
    let seen: undici.Dispatcher.DispatchOptions | undefined
    const dispatch = tokenInterceptor(out.broker, { allow: [out.backend.url] })(opts => {
      seen = opts
      return true
    })
    dispatch(
      { path: '/', method: 'GET', ...optsOf(out.backend.url) } as never,
      { onRequestStart() {} } as never,
    )
    const names = Object.keys((seen?.headers ?? {}) as object)
    return { opts: seen as never, hasToken: names.includes('authorization'), allowed: out.backend.url }
  }

  test('an origin with user information gets no token, as in createFetch', async () => {
    const withUser = (url: string) => url.replace('//', '//user:password@')
    for (const originOf of [withUser, (url: string) => new URL(withUser(url))]) {
      expect((await dispatched(allowed => ({ origin: originOf(allowed) }))).hasToken).toBe(false)
    }
  })

  test('an origin that is an object is passed on as the text that was judged', async () => {
    const objects: ((allowed: string) => object)[] = [
      allowed => new URL(allowed),
      allowed => ({ origin: 'https://evil.test', hostname: 'evil.test', toString: () => allowed }),
      allowed => {
        let asked = 0
        return { toString: () => (asked++ === 0 ? allowed : 'https://evil.test') }
      },
      allowed => Object.assign(new URL('https://evil.test'), { toString: () => allowed }),
    ]
    for (const originOf of objects) {
      const { opts, hasToken, allowed } = await dispatched(url => ({ origin: originOf(url) }))
      expect([opts.origin, hasToken]).toEqual([allowed, true])
    }
  })

  test('fields that change between two looks are looked at once', async () => {
    const once = <T>(first: T, then: T) => {
      let asked = 0
      return { enumerable: true, get: () => (asked++ === 0 ? first : then) }
    }
    await using out = await startInterceptedCalls()
    await out.broker.getToken()
    let seen: undici.Dispatcher.DispatchOptions | undefined
    const dispatch = tokenInterceptor(out.broker, { allow: [`${out.backend.url}/v1`] })(opts => {
      seen = opts
      return true
    })
    const opts = Object.defineProperties({} as undici.Dispatcher.DispatchOptions, {
      origin: once(out.backend.url, 'https://evil.test'),
      path: once('/v1/x', '/v2'),
      method: once('GET', 'CONNECT'),
    })
    dispatch(opts, { onRequestStart() {} } as never)
    expect(seen).toMatchObject({ origin: out.backend.url, path: '/v1/x', method: 'GET' })
    expect(Object.keys(seen?.headers ?? {})).toContain('authorization')
  })
})

test("a broker's own transport may use the same dispatcher: the token endpoint is never intercepted", async () => {
  await using out = await startInterceptedCalls()
  const agent = new undici.Agent()
  let own: TokenBroker | undefined
  const late: undici.Dispatcher.DispatcherComposeInterceptor = dispatch => (opts, handler) =>
    tokenInterceptor(own as TokenBroker, { allow: [new URL(out.dex.tokenEndpoint).origin, out.backend.url] })(
      dispatch,
    )(opts, handler)
  const dispatcher = agent.compose(late)
  own = new TokenBroker({
    tokenEndpoint: out.dex.tokenEndpoint,
    client: orders,
    tokenHeaders: { access_token: 'x-access-token' },
    transport: undiciTransport(dispatcher),
  })
  await (await undici.request(out.backend.url, { dispatcher })).body.text()
  expect(tokensOf(out.backend)).toEqual([own.peekToken()?.accessToken])
  expect(out.dex.tokenRequests[0]?.headers['x-access-token']).toBeUndefined()
  await own.close()
  await agent.close()
})

test('an upgrade and a CONNECT get a token, and no second try', async () => {
  await using out = await startInterceptedCalls()
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(401).end()
  })
  const accept = (request: { headers: { authorization?: string } }, socket: import('node:stream').Duplex) => {
    seen.push(request.headers.authorization)
    socket.end('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
  }
  server.on('upgrade', accept)
  server.on('connect', (request, socket) => {
    seen.push(request.headers.authorization)
    socket.end('HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const agent = new undici.Agent()
  const dispatcher = agent.compose(tokenInterceptor(out.broker, { allow: [origin] }))
  const { socket } = await undici.upgrade(origin, { dispatcher, protocol: 'test' })
  socket.destroy()
  const tunnel = await undici.connect(origin, { dispatcher, path: 'db.test:5432' } as never)
  expect(tunnel.statusCode).toBe(401)
  tunnel.socket.destroy()
  const bearer = `Bearer ${out.broker.peekToken()?.accessToken}`
  expect(seen).toEqual([bearer, bearer])
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

describe('the handler of the caller', () => {
  test('sees one request: one start, one response, whatever happens in between', async () => {
    await using out = await startInterceptedCalls({ answer: refuseFirstToken() })
    const seen: string[] = []
    const controllers = new Set<unknown>()
    await new Promise<void>((resolve, reject) => {
      out.dispatcher.dispatch(
        { origin: out.backend.url, path: '/', method: 'POST', body: 'text' },
        {
          onRequestStart(controller) {
            seen.push('start')
            controllers.add(controller)
          },
          onRequestSent: () => void seen.push('sent'),
          onBodySent: () => void seen.push('body'),
          onResponseStarted: () => void seen.push('started'),
          onResponseStart(controller, status) {
            seen.push(`response ${status}`)
            controllers.add(controller)
          },
          onResponseData(controller) {
            seen.push('data')
            controllers.add(controller)
          },
          onResponseEnd: () => {
            seen.push('end')
            resolve()
          },
          onResponseError: (_, error) => reject(error),
        },
      )
    })
    expect(seen.filter(name => !['sent', 'body', 'started'].includes(name))).toEqual([
      'start',
      'response 200',
      'data',
      'end',
    ])
    expect(new Set(seen)).toContain('sent')
    expect(new Set(seen)).toContain('body')
    expect(controllers.size).toBe(1)
  })

  test('gets the whole 401 after the wait for another token, without asking for more', async () => {
    const text = 'x'.repeat(300_000)
    await using out = await startInterceptedCalls({
      answer: (_request, response) => void response.writeHead(401).end(text),
    })
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'html' })
    const length = await new Promise<number>((resolve, reject) => {
      let bytes = 0
      out.dispatcher.dispatch(
        { origin: out.backend.url, path: '/', method: 'GET' },
        {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData: (_, chunk) => {
            bytes += chunk.length
          },
          onResponseEnd: () => resolve(bytes),
          onResponseError: (_, error) => reject(error),
        },
      )
    })
    expect(length).toBe(text.length)
  })

  test('may pause the answer to the second try, and abort it', async () => {
    const refuse = refuseFirstToken()
    await using out = await startInterceptedCalls({
      answer: (request, response) => {
        if (out.backend.requests.length === 1) refuse(request, response)
        else response.end('x'.repeat(2_000_000))
      },
    })
    const { body } = await undici.request(out.backend.url, { dispatcher: out.dispatcher })
    // As much as a body holds that nobody reads: then it pauses.
    await until(() => body.readableLength >= body.readableHighWaterMark)
    expect((await body.text()).length).toBe(2_000_000)
    out.clock.advance(60_000)
    const leaving = new AbortController()
    const second = await undici.request(out.backend.url, {
      dispatcher: out.dispatcher,
      signal: leaving.signal,
    })
    leaving.abort(new Error('left'))
    await expect(second.body.text()).rejects.toThrow('left')
  })

  test('gets the reason of a signal that nobody else listens to, and of a caller who leaves in the middle', async () => {
    await using out = await startInterceptedCalls({ answer: answerOnly(() => false) })
    const reason = new Error('left')
    const failed = (signal: AbortSignal) =>
      new Promise((resolve, reject) => {
        out.dispatcher.dispatch({ origin: out.backend.url, path: '/', method: 'GET', signal } as never, {
          onRequestStart() {},
          onResponseStart: reject,
          onResponseData() {},
          onResponseEnd: reject,
          onResponseError: (_, error) => resolve(error),
        })
      })
    expect(await failed(AbortSignal.abort(reason))).toBe(reason)
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const called = failed(leaving.signal)
    await until(() => out.dex.counts.tokenRequests === 2)
    leaving.abort(reason)
    expect(await called).toBe(reason)
  })

  test('of undici.request may leave while a 401 is held', async () => {
    await using out = await startInterceptedCalls({ answer: answerOnly(() => false) })
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const reason = new Error('left')
    const requested = undici.request(out.backend.url, { dispatcher: out.dispatcher, signal: leaving.signal })
    await until(() => out.dex.counts.tokenRequests === 2)
    leaving.abort(reason)
    await expect(requested).rejects.toBe(reason)
    expect(out.backend.requests).toHaveLength(1)
  })

  test('of undici 6 is refused at once', async () => {
    await using out = await startInterceptedCalls()
    const legacy = { onConnect() {}, onHeaders() {}, onData() {}, onComplete() {}, onError() {} }
    expect(() =>
      out.dispatcher.dispatch({ origin: out.backend.url, path: '/', method: 'GET' }, legacy as never),
    ).toThrow(/undici package, or wrap the dispatcher in its Dispatcher1Wrapper/)
    const wrapped = new undici.Dispatcher1Wrapper(out.dispatcher)
    const ended = new Promise<void>((resolve, reject) => {
      const handler = {
        ...legacy,
        onHeaders: () => true,
        onData: () => true,
        onComplete: resolve,
        onError: reject,
      }
      wrapped.dispatch({ origin: out.backend.url, path: '/', method: 'GET' }, handler as never)
    })
    await ended
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })
})

test.skipIf(ownFetchTakesUndici8)(
  'a fetch of Node that cannot use a dispatcher of undici 8 (Node 22 and 24) is told so',
  async () => {
    await using out = await startInterceptedCalls()
    const fetched = fetch(out.backend.url, { dispatcher: out.dispatcher as never })
    await expect(fetched).rejects.toMatchObject({
      cause: {
        message: expect.stringContaining("this Node's own fetch cannot use a dispatcher of undici 8"),
      },
    })
    expect(out.backend.requests).toEqual([])
    await caughtUp(out.dex)
    expect(out.dex.counts.tokenRequests).toBe(0)
  },
)

test('a closed broker sends nothing', async () => {
  await using out = await startInterceptedCalls()
  await out.broker.close()
  const failure = await failureOf(undici.request(out.backend.url, { dispatcher: out.dispatcher }))
  expect(failure.message).toBe('the broker is closed')
  expect(out.backend.requests).toEqual([])
})

test('createFetch over the fetch of undici works too', async () => {
  await using out = await startInterceptedCalls({ answer: refuseFirstToken() })
  const send = undici.fetch as unknown as typeof globalThis.fetch
  const call = createFetch(out.broker, { allow: [out.backend.url], fetch: send })
  const init = { method: 'POST', body: 'text', dispatcher: out.agent as never }
  expect(await (await call(out.backend.url, init)).text()).toBe('ok')
  expect(out.backend.requests.map(({ body }) => body)).toEqual(['text', 'text'])
})

test.each([
  [{ allow: [] }, 'allow'],
  [{ allow: ['https://a.test'], maxReplayBytes: Number.NaN }, 'maxReplayBytes'],
])('wrong options %j are refused by name', async (options, message) => {
  await using out = await startInterceptedCalls()
  expect(() => tokenInterceptor(out.broker, options)).toThrow(message)
  expect(() => undiciTransport({} as never)).toThrow('dispatcher')
})
