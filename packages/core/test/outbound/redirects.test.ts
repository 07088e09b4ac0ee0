import type { AnswerRequest } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { linesOf, type OutgoingCalls, startOutgoingCalls, tokensOf } from './outgoing-calls.ts'

/** Redirects `/from` to a place that is known only once servers run; answers everything else. */
function redirecting(status: number, location: () => string): AnswerRequest {
  return ({ path }, response) => {
    if (path.startsWith('/v1/from')) response.writeHead(status, { location: location() }).end('moved')
    else response.end('arrived')
  }
}

async function startRedirecting(status: number, headers: Record<string, string> = {}) {
  let location = ''
  const out = await startOutgoingCalls({
    answer: (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      redirecting(status, () => location)(request, response)
    },
    outgoing: ({ url }) => ({ allow: [`${url}/v1`] }),
  })
  return Object.assign(out, {
    to(target: string) {
      location = target
    },
  })
}

describe('a redirect that leads outside is returned as it is, and nobody else receives anything', () => {
  test.each([301, 302, 303, 307, 308])('%i to another origin', async status => {
    await using out = await startRedirecting(status)
    out.to(`${out.elsewhere.url}/steal`)
    const response = await out.call(`${out.backend.url}/v1/from`, { method: 'POST', body: 'private' })
    expect(response.status).toBe(status)
    expect(response.headers.get('location')).toBe(`${out.elsewhere.url}/steal`)
    expect(await response.text()).toBe('moved')
    expect(response.redirected).toBe(false)
    expect(out.elsewhere.requests).toEqual([])
    expect(linesOf(out.backend)).toEqual(['POST /v1/from'])
  })

  test.each([
    ['another port', out => out.elsewhere.url],
    ['a scheme-relative URL', out => out.elsewhere.url.replace('http:', '')],
    ['a URL with backslashes', out => out.elsewhere.url.replace('http://', '\\\\')],
    ['a path outside the prefix', () => '/admin'],
    ['a path out of the prefix', () => '../admin'],
    ['a path that is encoded', () => '/v1/..%2fadmin'],
    ['another host name', out => out.elsewhere.url.replace('127.0.0.1', 'localhost')],
    ['a URL with user information', out => out.backend.url.replace('//', '//a:b@')],
    ['the token endpoint', out => out.dex.tokenEndpoint],
    ['another scheme', () => 'data:text/plain,hello'],
    ['nothing that is a URL', () => 'http://[nowhere'],
  ] as [string, (out: OutgoingCalls) => string][])('%s', async (_, target) => {
    await using out = await startRedirecting(302)
    out.to(target(out))
    const response = await out.call(`${out.backend.url}/v1/from`)
    expect(response.status).toBe(302)
    await response.text()
    expect(out.elsewhere.requests).toEqual([])
    expect(linesOf(out.backend)).toEqual(['GET /v1/from'])
    expect(out.dex.counts.tokenRequests).toBe(1)
  })
})

describe('a redirect inside', () => {
  test('is followed, with the token on every hop', async () => {
    await using out = await startRedirecting(302)
    out.to('to?x#there')
    const response = await out.call(`${out.backend.url}/v1/from#here`, {
      headers: { cookie: 'a=b', 'x-mine': 'kept' },
    })
    expect(await response.text()).toBe('arrived')
    expect(response.redirected).toBe(true)
    expect(response.url).toBe(`${out.backend.url}/v1/to?x`)
    expect(linesOf(out.backend)).toEqual(['GET /v1/from', 'GET /v1/to?x'])
    const token = out.broker.peekToken()?.accessToken
    expect(tokensOf(out.backend)).toEqual([token, token])
    expect(out.backend.requests[1]?.headers).toMatchObject({ cookie: 'a=b', 'x-mine': 'kept' })
  })

  test('to another allowed origin carries the token and none of what the caller meant for the first', async () => {
    await using out = await startOutgoingCalls({
      broker: { authorizationHeader: 'x-dex', tokenHeaders: {} },
      answer: (_, response) => void response.writeHead(307, { location: `${out.elsewhere.url}/there` }).end(),
    })
    const call = createFetch(out.broker, { allow: [out.backend.url, out.elsewhere.url] })
    const headers = {
      authorization: 'Basic mine',
      cookie: 'a=b',
      'proxy-authorization': 'Basic p',
      'x-mine': 'kept',
    }
    const response = await call(out.backend.url, { method: 'PUT', body: 'text', headers })
    expect(await response.text()).toBe('ok')
    const bearer = `Bearer ${out.broker.peekToken()?.accessToken}`
    expect(out.backend.requests[0]?.headers).toMatchObject({ ...headers, 'x-dex': bearer })
    expect(out.elsewhere.requests[0]).toMatchObject({
      method: 'PUT',
      body: 'text',
      headers: { 'x-dex': bearer, 'x-mine': 'kept' },
    })
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) {
      expect(out.elsewhere.requests[0]?.headers).not.toHaveProperty(name)
    }
  })

  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [302, 'PUT', 'PUT', 'text'],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'text'],
    [308, 'PATCH', 'PATCH', 'text'],
  ])('%i turns %s into %s', async (status, method, expectedMethod, body) => {
    await using out = await startRedirecting(status)
    out.to('/v1/to')
    const headers = { 'content-type': 'text/csv', 'content-language': 'de' }
    const response = await out.call(`${out.backend.url}/v1/from`, { method, body: 'text', headers })
    expect(await response.text()).toBe('arrived')
    const [, second] = out.backend.requests
    expect(second).toMatchObject({ method: expectedMethod, body })
    expect(second?.headers['content-type']).toBe(body === '' ? undefined : 'text/csv')
    expect(second?.headers['content-language']).toBe(body === '' ? undefined : 'de')
  })

  test.each([301, 302, 303, 307])('%i leaves HEAD as it is', async status => {
    await using out = await startRedirecting(status)
    out.to('/v1/to')
    await out.call(`${out.backend.url}/v1/from`, { method: 'HEAD' })
    expect(linesOf(out.backend)).toEqual(['HEAD /v1/from', 'HEAD /v1/to'])
  })

  test.each([307, 308])(
    '%i with a stream that is gone is returned, and the body of a Request goes along',
    async status => {
      await using out = await startRedirecting(status)
      out.to('/v1/to')
      const body = new Blob(['gone']).stream()
      const response = await out.call(`${out.backend.url}/v1/from`, { method: 'POST', body, duplex: 'half' })
      expect(response.status).toBe(status)
      const request = new Request(`${out.backend.url}/v1/from`, { method: 'POST', body: 'gone' })
      const second = await out.call(request)
      expect(second.status).toBe(200)
      expect(linesOf(out.backend)).toEqual(['POST /v1/from', 'POST /v1/from', 'POST /v1/to'])
      expect(out.backend.requests.map(({ body: received }) => received)).toEqual(['gone', 'gone', 'gone'])
      for (const answer of [response, second]) await answer.text()
    },
  )

  test('303 with a stream, and a Request, is followed without body', async () => {
    await using out = await startRedirecting(303)
    out.to('/v1/to')
    const request = new Request(`${out.backend.url}/v1/from`, {
      method: 'POST',
      body: 'gone',
      headers: { 'x-mine': '1' },
    })
    expect(await (await out.call(request)).text()).toBe('arrived')
    expect(out.backend.requests[1]).toMatchObject({ method: 'GET', body: '', headers: { 'x-mine': '1' } })
  })

  test('without Location is a response like any other', async () => {
    await using out = await startOutgoingCalls({
      answer: (_, response) => void response.writeHead(302).end('hm'),
    })
    expect(await (await out.call(out.backend.url)).text()).toBe('hm')
  })

  test('twenty times is enough', async () => {
    const counting: AnswerRequest = ({ path }, response) => {
      const left = Number(path.slice(1))
      if (left === 0) response.end('arrived')
      else response.writeHead(302, { location: `/${left - 1}` }).end('x'.repeat(100_000))
    }
    await using out = await startOutgoingCalls({ answer: counting })
    expect(await (await out.call(`${out.backend.url}/20`)).text()).toBe('arrived')
    expect(out.backend.requests).toHaveLength(21)
    await expect(out.call(`${out.backend.url}/21`)).rejects.toThrow('more than 20 redirects')
    expect(out.backend.requests).toHaveLength(42)
  })
})

describe('the caller says how redirects are treated', () => {
  test('manual returns it', async () => {
    await using out = await startRedirecting(302)
    out.to('/v1/to')
    const init = { redirect: 'manual' } as const
    for (const response of [
      await out.call(`${out.backend.url}/v1/from`, init),
      await out.call(new Request(`${out.backend.url}/v1/from`, init)),
    ]) {
      expect(response.status).toBe(302)
      await response.text()
    }
    expect(out.backend.requests).toHaveLength(2)
  })

  test('error rejects', async () => {
    await using out = await startRedirecting(302)
    out.to('/v1/to')
    await expect(out.call(`${out.backend.url}/v1/from`, { redirect: 'error' })).rejects.toThrow(TypeError)
    expect(out.backend.requests).toHaveLength(1)
  })
})
