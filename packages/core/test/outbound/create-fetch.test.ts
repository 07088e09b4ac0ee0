import { getEventListeners } from 'node:events'
import { freePort } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { caughtUp, failureOf, until } from '../broker-with-dex.ts'
import { answerOk, linesOf, ownFetchTakesUndici8, startOutgoingCalls, tokensOf } from './outgoing-calls.ts'

describe('a call to an allowed place', () => {
  test('carries the token in every header of it, over what the caller set there', async () => {
    await using out = await startOutgoingCalls()
    const response = await out.call(`${out.backend.url}/orders?x=1`, {
      headers: { 'x-access-token': 'forged', 'x-mine': 'kept' },
    })
    expect(await response.text()).toBe('ok')
    const token = out.broker.peekToken()?.accessToken
    expect(tokensOf(out.backend)).toEqual([token])
    expect(out.backend.requests[0]).toMatchObject({ path: '/orders?x=1', headers: { 'x-mine': 'kept' } })
  })

  test('uses the cached token again, and the one that the options ask for', async () => {
    await using out = await startOutgoingCalls({ outgoing: { token: { scope: 'groups' } } })
    for (let calls = 0; calls < 3; calls++) await (await out.call(out.backend.url)).text()
    expect(new Set(tokensOf(out.backend))).toEqual(
      new Set([out.broker.peekToken({ scope: 'groups' })?.accessToken]),
    )
    expect(out.dex.counts.tokenRequests).toBe(1)
  })

  test.each(['string', 'URL', 'Request'])('takes a %s', async kind => {
    await using out = await startOutgoingCalls()
    const init = { method: 'post', body: 'hello', headers: { 'x-mine': 'kept' } }
    const url = `${out.backend.url}/orders`
    const request = new Request(url, init)
    const response =
      kind === 'Request' ? await out.call(request) : await out.call(kind === 'URL' ? new URL(url) : url, init)
    await response.text()
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
    expect(out.backend.requests[0]).toMatchObject({
      method: 'POST',
      body: 'hello',
      headers: { 'x-mine': 'kept' },
    })
    expect(request.headers.has('authorization')).toBe(false)
  })

  test('takes a Request with an init over it, and a Request as init', async () => {
    await using out = await startOutgoingCalls()
    const request = new Request(`${out.backend.url}/a`, {
      method: 'PUT',
      body: 'one',
      headers: { 'x-a': '1' },
    })
    await (await out.call(request, { body: 'two', headers: { 'x-b': '2' } })).text()
    await (await out.call(`${out.backend.url}/b`, new Request(out.backend.url, { method: 'DELETE' }))).text()
    expect(linesOf(out.backend)).toEqual(['PUT /a', 'DELETE /b'])
    expect(out.backend.requests[0]?.body).toBe('two')
    expect(out.backend.requests[0]?.headers['x-a']).toBeUndefined()
    expect(tokensOf(out.backend).every(Boolean)).toBe(true)
  })

  test('sends what a buffer held when it was called, though it waits for the token', async () => {
    await using out = await startOutgoingCalls()
    const bytes = Buffer.from('before')
    const called = out.call(out.backend.url, { method: 'POST', body: bytes })
    bytes.write('after!')
    await (await called).text()
    expect(out.backend.requests[0]?.body).toBe('before')
  })

  test('streams a large body both ways without holding it', async () => {
    const part = Buffer.alloc(64 * 1024, 'x')
    await using out = await startOutgoingCalls({
      answer: ({ body }, response) => {
        response.write(String(body.length))
        for (let index = 0; index < 64; index++) response.write(part)
        response.end()
      },
    })
    let parts = 0
    const body = new ReadableStream({
      pull(controller) {
        if (parts++ === 64) controller.close()
        else controller.enqueue(part)
      },
    })
    const response = await out.call(out.backend.url, { method: 'POST', body, duplex: 'half' })
    expect((await response.bytes()).length).toBe(String(part.length * 64).length + part.length * 64)
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })

  test('passes on that the backend closed half-way', async () => {
    await using out = await startOutgoingCalls({
      answer: (_, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half', () => response.destroy())
      },
    })
    const response = await out.call(out.backend.url)
    await expect(response.text()).rejects.toThrow()
    expect(out.backend.requests).toHaveLength(1)
  })
})

describe('no token, no request', () => {
  test('when Dex is down the call rejects with the BrokerError, and the backend receives nothing', async () => {
    const port = await freePort()
    await using out = await startOutgoingCalls({
      broker: { tokenEndpoint: `http://127.0.0.1:${port}/token` },
    })
    const failure = await failureOf(out.call(out.backend.url, { method: 'POST', body: 'secret' }))
    expect(failure.code).toBe('token_endpoint_unavailable')
    expect(out.backend.requests).toEqual([])
  })

  test('when Dex says no, and when the broker is closed', async () => {
    await using out = await startOutgoingCalls({
      broker: { client: { clientId: 'orders', clientSecret: 'wrong' } },
    })
    expect((await failureOf(out.call(out.backend.url))).code).toBe('client_misconfigured')
    await out.broker.close()
    expect((await failureOf(out.call(out.backend.url))).message).toBe('the broker is closed')
    expect(out.backend.requests).toEqual([])
  })

  test('a caller who leaves while it waits for the token gets its own reason at once', async () => {
    await using out = await startOutgoingCalls()
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const called = out.call(out.backend.url, { signal: leaving.signal })
    await until(() => out.dex.counts.tokenRequests === 1)
    const reason = { my: 'reason' }
    leaving.abort(reason)
    await expect(called).rejects.toBe(reason)
    await expect(out.call(out.backend.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(out.call(new Request(out.backend.url, { signal: leaving.signal }))).rejects.toBe(reason)
    expect(out.backend.requests).toEqual([])
    expect(getEventListeners(leaving.signal, 'abort').length).toBeLessThanOrEqual(1)
  })

  test('a caller who leaves during the response ends it', async () => {
    await using out = await startOutgoingCalls({ answer: (_, response) => void response.write('first part') })
    const leaving = new AbortController()
    const response = await out.call(out.backend.url, { signal: leaving.signal })
    leaving.abort(new Error('left'))
    // The fetch of Node 22 keeps the reason of a body that ends to itself.
    const ending = process.version.startsWith('v22.') ? 'The operation was aborted.' : 'left'
    await expect(response.text()).rejects.toThrow(ending)
  })
})

test('a caller need not wait for a slow backend', async () => {
  await using out = await startOutgoingCalls({ answer: () => {} })
  await out.broker.getToken()
  const called = out.call(out.backend.url, { signal: AbortSignal.timeout(500) })
  await expect(called).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(out.backend.requests).toHaveLength(1)
})

describe('a call that is none of ours goes out untouched', () => {
  test('to another origin, port, scheme or path outside the prefix', async () => {
    await using out = await startOutgoingCalls({ outgoing: ({ url }) => ({ allow: [`${url}/v1`] }) })
    const places = [
      `${out.elsewhere.url}/v1`,
      `${out.backend.url}/v1x`,
      `${out.backend.url}/v1/../admin`,
      `${out.backend.url}/v1/%2e%2e%2fadmin`,
    ]
    for (const place of places) {
      const response = await out.call(place, { headers: { 'x-mine': 'kept', 'x-access-token': 'own' } })
      expect(await response.text()).toBe('ok')
    }
    for (const { headers } of [...out.elsewhere.requests, ...out.backend.requests]) {
      expect(headers).toMatchObject({ 'x-mine': 'kept', 'x-access-token': 'own' })
      expect(headers.authorization).toBeUndefined()
    }
    await caughtUp(out.dex)
    expect(out.dex.counts.tokenRequests).toBe(0)
  })

  test('to the token endpoint, even when its origin is allowed', async () => {
    await using out = await startOutgoingCalls()
    const call = createFetch(out.broker, { allow: [new URL(out.dex.tokenEndpoint).origin] })
    const response = await call(`${out.dex.tokenEndpoint}?x`, {
      method: 'POST',
      body: 'grant_type=client_credentials',
    })
    await response.text()
    expect(out.dex.counts.tokenRequests).toBe(1)
    expect(out.dex.tokenRequests[0]?.headers['authorization']).toBeUndefined()
    expect(out.dex.tokenRequests[0]?.headers['x-access-token']).toBeUndefined()
  })

  test('with what fetch says about wrong input', async () => {
    await using out = await startOutgoingCalls()
    await expect(out.call('no url')).rejects.toThrow(TypeError)
    await expect(out.call(out.backend.url, { headers: { 'a b': 'c' } })).rejects.toThrow(TypeError)
    await expect(out.call(out.backend.url.replace('//', '//user:pass@'))).rejects.toThrow(TypeError)
    expect(out.backend.requests).toEqual([])
  })
})

describe('what is judged is what is sent', () => {
  const toEvil = async (
    inputOf: (allowed: string, evil: string) => unknown,
    wrap: (send: typeof fetch) => typeof fetch = send => send,
  ) => {
    await using out = await startOutgoingCalls()
    const allow = [`${out.backend.url}/v1/`]
    const call = createFetch(out.broker, { allow, fetch: wrap(fetch) })
    const input = inputOf(`${out.backend.url}/v1/`, `${out.elsewhere.url}/`)
    await call(input as Request).then(
      response => response.text(),
      () => {},
    )
    return out.elsewhere.requests.flatMap(({ headers }) =>
      Object.keys(headers).filter(name => name === 'authorization' || name === 'x-access-token'),
    )
  }

  test.each<[string, (allowed: string, evil: string) => unknown]>([
    [
      'a Request whose class lies about its URL once',
      (allowed, evil) => {
        class LyingRequest extends Request {
          static asked = 0
        }
        Object.defineProperty(LyingRequest.prototype, 'url', {
          get: () => (LyingRequest.asked++ === 0 ? allowed : evil),
        })
        return new LyingRequest(evil)
      },
    ],
    [
      'a Request that overrides its URL',
      (allowed, evil) => Object.defineProperty(new Request(evil), 'url', { value: allowed }),
    ],
    [
      'an object that says one URL and is another',
      (url, evil) => ({ url, headers: {}, toString: () => evil }),
    ],
    ['a URL with the fields of a Request', (url, evil) => Object.assign(new URL(evil), { url, headers: {} })],
    [
      'an object that is a Request by name only',
      (url, evil) => ({ url, headers: {}, [Symbol.toStringTag]: 'Request', toString: () => evil }),
    ],
    [
      'a string object that changes its mind',
      (allowed, evil) => {
        let asked = 0
        return { toString: () => (asked++ === 0 ? allowed : evil) }
      },
    ],
  ])('%s brings no token elsewhere', async (_, inputOf) => {
    expect(await toEvil(inputOf)).toEqual([])
  })

  test('a fetch that reads the URL of a Request again gets the one that was judged', async () => {
    const reads: string[] = []
    const wrap: (send: typeof fetch) => typeof fetch = send => (input, init) => {
      const url = input instanceof Request ? input.url : String(input)
      reads.push(url)
      return send(url, init)
    }
    const lies = (allowed: string, evil: string) => {
      let asked = 0
      return Object.defineProperty(new Request(allowed), 'url', {
        get: () => (asked++ === 0 ? allowed : evil),
      })
    }
    expect(await toEvil(lies, wrap)).toEqual([])
    expect(reads).toHaveLength(1)
  })

  test('a Request of the package undici is taken apart, and its body sent', async () => {
    await using out = await startOutgoingCalls()
    const { Request: ForeignRequest } = ownFetchTakesUndici8
      ? await import('undici')
      : await import('undici-7')
    const request = new ForeignRequest(`${out.backend.url}/orders`, { method: 'PUT', body: 'hello' })
    expect((await out.call(request as never)).status).toBe(200)
    expect(out.backend.requests[0]).toMatchObject({ method: 'PUT', path: '/orders', body: 'hello' })
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })
})

describe('the global fetch', () => {
  /** Puts another function in the place of the global fetch until the end of a block. */
  function replaceGlobalFetch(replacement: (first: typeof fetch) => typeof fetch): Disposable {
    const first = globalThis.fetch
    globalThis.fetch = replacement(first)
    return {
      [Symbol.dispose]() {
        globalThis.fetch = first
      },
    }
  }

  test('is the one of the moment of a call: one that was replaced later is asked, also for tokens', async () => {
    await using out = await startOutgoingCalls({ outgoing: { fetch: undefined } })
    const seen: string[] = []
    using _ = replaceGlobalFetch(first => (input, init) => {
      seen.push(new URL(input instanceof Request ? input.url : input).pathname)
      return first(input, init)
    })
    await (await out.call(`${out.backend.url}/orders`)).text()
    expect(seen).toEqual([new URL(out.dex.tokenEndpoint).pathname, '/orders'])
  })

  test('may be replaced by the fetch with the token itself', async () => {
    await using out = await startOutgoingCalls({ outgoing: { fetch: undefined } })
    using _ = replaceGlobalFetch(() => out.call)
    await (await fetch(out.backend.url)).text()
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })
})

test('a call outside allow leaves one line at debug for each origin, without its path', async () => {
  await using out = await startOutgoingCalls({ outgoing: ({ url }) => ({ allow: [`${url}/v1`] }) })
  const lines = () =>
    out.log.lines.filter(
      ({ message }) => message === 'call sent without a token: its origin is outside allow',
    )
  for (const url of [`${out.elsewhere.url}/a?secret`, out.elsewhere.url, `${out.backend.url}/v2`]) {
    await (await out.call(url)).text()
  }
  await (await out.call(`${out.backend.url}/v1`)).text()
  const allow = [`${out.backend.url}/v1`]
  expect(lines()).toEqual([
    { level: 'debug', fields: { origin: out.elsewhere.url, allow }, message: lines()[0]?.message },
    { level: 'debug', fields: { origin: out.backend.url, allow }, message: lines()[0]?.message },
  ])
})

describe('a bearer header of the caller', () => {
  test('is kept, and the call gets no header of ours', async () => {
    await using out = await startOutgoingCalls()
    await (await out.call(out.backend.url, { headers: { Authorization: 'Bearer mine' } })).text()
    expect(out.backend.requests[0]?.headers.authorization).toBe('Bearer mine')
    expect(out.backend.requests[0]?.headers['x-access-token']).toBeUndefined()
    await caughtUp(out.dex)
    expect(out.dex.counts.tokenRequests).toBe(0)
  })

  test('is replaced on demand', async () => {
    await using out = await startOutgoingCalls({ outgoing: { ownAuthorization: 'replace' } })
    await (await out.call(out.backend.url, { headers: { Authorization: 'Bearer mine' } })).text()
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })

  test('is the one that the broker sets, whatever its name', async () => {
    await using out = await startOutgoingCalls({ broker: { authorizationHeader: 'X-Dex', tokenHeaders: {} } })
    await (await out.call(out.backend.url, { headers: { authorization: 'Basic mine' } })).text()
    const token = out.broker.peekToken()?.accessToken
    expect(out.backend.requests[0]?.headers).toMatchObject({
      authorization: 'Basic mine',
      'x-dex': `Bearer ${token}`,
    })
    expect(out.broker.authorizationHeader).toBe('x-dex')
  })
})

test.each([
  [{ allow: [] }, 'allow'],
  [{}, 'allow'],
  [{ allow: ['https://a.test'], ownAuthorization: 'drop' }, 'ownAuthorization'],
  [{ allow: ['https://a.test'], maxReplayBytes: -1 }, 'maxReplayBytes'],
  [{ allow: ['https://a.test'], maxReplayBytes: 1.5 }, 'maxReplayBytes'],
  [{ allow: ['https://a.test'], fetch: 'fetch' }, 'fetch'],
  [{ allow: ['https://a.test'], token: 'orders' }, 'token'],
  [{ allow: ['https://a.test'], token: { clientId: '' } }, 'token: client id or client secret is missing'],
  [{ allow: ['https://a.test'], token: { audiences: ['a b'] } }, 'token: an audience'],
])('wrong options %j are refused by name', async (options, message) => {
  await using out = await startOutgoingCalls({ answer: answerOk })
  expect(() => createFetch(out.broker, options as never)).toThrow(TypeError)
  expect(() => createFetch(out.broker, options as never)).toThrow(message)
  expect(() => createFetch({} as never, { allow: ['https://a.test'] })).toThrow('broker must be')
})
