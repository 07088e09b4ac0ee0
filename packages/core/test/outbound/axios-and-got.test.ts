import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { freePort } from '@broker/testing'
import axios from 'axios'
import got from 'got'
import { describe, expect, test } from 'vitest'
import { axiosInterceptor } from '../../src/outbound/axios-interceptor.ts'
import { gotHooks } from '../../src/outbound/got-hooks.ts'
import type { OutgoingTokenOptions } from '../../src/outbound/outgoing-tokens.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import type { TokenBroker } from '../../src/token-broker.ts'
import { caughtUp, until } from '../broker-with-dex.ts'
import {
  answerOnly,
  linesOf,
  type OutgoingCalls,
  refuseFirstToken,
  startOutgoingCalls,
  tokensOf,
} from './outgoing-calls.ts'

interface CallInit {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly json?: unknown
  readonly signal?: AbortSignal
}

interface Client {
  /** The status and the text, whatever the status. */
  call(url: string, init?: CallInit): Promise<{ status: number; text: string }>
  /** Rejects on a status that is none of success. */
  strict(url: string, init?: CallInit): Promise<unknown>
}

type MakeClient = (broker: TokenBroker, options: OutgoingTokenOptions) => Client

function overAxios(adapter: 'http' | 'fetch'): MakeClient {
  return (broker, options) => {
    const client = axios.create({ adapter, params: { a: 'b c' }, responseType: 'text' })
    axiosInterceptor(broker, options)(client)
    const config = (url: string, { body, json, ...init }: CallInit = {}) => ({
      url,
      data: json ?? body,
      ...init,
    })
    return {
      async call(url, init) {
        const { status, data } = await client.request<string>({
          ...config(url, init),
          validateStatus: () => true,
        })
        return { status, text: data }
      },
      strict: (url, init) => client.request(config(url, init)),
    }
  }
}

const overGot: MakeClient = (broker, options) => {
  const client = got.extend({
    hooks: gotHooks(broker, options),
    searchParams: { a: 'b c' },
    retry: { limit: 0 },
    allowGetBody: true,
  })
  const requested = (url: string, init: CallInit = {}, throwHttpErrors = true) =>
    client(url, { ...(init as object), throwHttpErrors })
  return {
    async call(url, init) {
      const { statusCode, body } = await requested(url, init, false)
      return { status: statusCode, text: body }
    },
    strict: (url, init) => requested(url, init),
  }
}

const makers: readonly [string, MakeClient][] = [
  ['axios', overAxios('http')],
  ['axios over fetch', overAxios('fetch')],
  ['got', overGot],
]

describe.each(makers)('%s', (name, make) => {
  const clientOf = ({ broker, backend }: OutgoingCalls, options: Partial<OutgoingTokenOptions> = {}) =>
    make(broker, { allow: [backend.url], ...options })

  test('a call to an allowed place carries the token in every header of it, over what the caller set', async () => {
    await using out = await startOutgoingCalls()
    const headers = { 'X-Access-Token': 'forged', 'x-mine': 'kept' }
    const init = { method: 'POST', json: { n: 1 }, headers }
    expect(await clientOf(out).call(`${out.backend.url}/orders`, init)).toEqual({ status: 200, text: 'ok' })
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
    const [received] = out.backend.requests
    expect(received).toMatchObject({ method: 'POST', body: '{"n":1}', headers: { 'x-mine': 'kept' } })
    expect(received?.headers['content-type']).toBe('application/json')
    expect(new URL(received?.path ?? '', out.backend.url).searchParams.getAll('a')).toEqual(['b c'])
  })

  test('a call to any other place, and to the token endpoint, goes out untouched', async () => {
    await using out = await startOutgoingCalls()
    const { elsewhere, backend, dex } = out
    const client = clientOf(out, { allow: [`${backend.url}/v1`, new URL(dex.tokenEndpoint).origin] })
    for (const url of [`${elsewhere.url}/v1`, `${backend.url}/v1x`, `${backend.url}/v1/%2e%2e%2fv2`]) {
      expect((await client.call(url, { headers: { 'x-access-token': 'own' } })).status).toBe(200)
    }
    await client.call(dex.tokenEndpoint, { method: 'POST', body: 'grant_type=client_credentials' })
    for (const { headers } of [...elsewhere.requests, ...backend.requests]) {
      expect(headers).toMatchObject({ 'x-access-token': 'own' })
      expect(headers.authorization).toBeUndefined()
    }
    expect(dex.tokenRequests.map(({ headers }) => headers['x-access-token'])).toEqual([undefined])
  })

  test('without a token nothing is sent, and the BrokerError says why', async () => {
    const port = await freePort()
    await using out = await startOutgoingCalls({
      broker: { tokenEndpoint: `http://127.0.0.1:${port}/token` },
    })
    const error = await clientOf(out)
      .call(out.backend.url)
      .catch((reason: Error) => reason)
    const failure = BrokerError.is(error) ? error : (error as Error).cause
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable' })
    expect(out.backend.requests).toEqual([])
  })

  test('a bearer header of the caller is kept, and replaced on demand', async () => {
    await using out = await startOutgoingCalls()
    const init = { headers: { Authorization: 'Bearer mine' } }
    await clientOf(out).call(out.backend.url, init)
    expect(out.backend.requests[0]?.headers.authorization).toBe('Bearer mine')
    expect(out.backend.requests[0]?.headers['x-access-token']).toBeUndefined()
    await clientOf(out, { ownAuthorization: 'replace' }).call(out.backend.url, init)
    expect(out.backend.requests[1]?.headers.authorization).toBe(
      `Bearer ${out.broker.peekToken()?.accessToken}`,
    )
  })

  test('after a 401 the call is sent once more, with its body and another token', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const init = { method: 'POST', json: { text: 'grüße' } }
    expect(await clientOf(out).call(out.backend.url, init)).toEqual({ status: 200, text: 'ok' })
    const [refused, accepted] = tokensOf(out.backend)
    expect(accepted).toBe(out.broker.peekToken()?.accessToken)
    expect(refused).not.toBe(accepted)
    expect(new Set(out.backend.requests.map(({ body }) => body))).toEqual(
      new Set([Buffer.from(JSON.stringify(init.json)).toString('latin1')]),
    )
    expect(out.dex.counts.tokenRequests).toBe(2)
  })

  test('also with the cache turned off, at the cost of one token more', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken(), broker: { cacheMaxEntries: 0 } })
    expect((await clientOf(out).call(out.backend.url)).status).toBe(200)
    expect(out.dex.counts.tokenRequests).toBe(2)
  })

  test('a backend that refuses every token gets two, and the caller the 401', async () => {
    await using out = await startOutgoingCalls({ answer: answerOnly(() => false) })
    expect(await clientOf(out).call(out.backend.url)).toEqual({ status: 401, text: 'not you' })
    await expect(clientOf(out).strict(out.backend.url)).rejects.toThrow('401')
    expect(out.backend.requests).toHaveLength(3)
    expect(out.dex.counts.tokensIssued).toBe(2)
  })

  test('twenty refusals of one token at the same time cost one new token', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    await out.broker.getToken()
    const client = clientOf(out)
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call(out.backend.url)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(out.dex.counts.tokensIssued).toBe(2)
  })

  test.each([
    ['without enough scope', { challenge: 'Bearer error="insufficient_scope"' }, 1],
    ['with a body that is a stream', { stream: true }, 2],
    ['with a body that is too long', { maxReplayBytes: 3 }, 2],
  ])('a 401 %s is returned', async (_, { challenge, stream, maxReplayBytes }: Refusal, tokenRequests) => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken(challenge) })
    const body = stream ? Readable.from(['text']) : 'text'
    const client = clientOf(out, maxReplayBytes === undefined ? {} : { maxReplayBytes })
    expect(await client.call(out.backend.url, { method: 'POST', body })).toEqual({
      status: 401,
      text: 'not you',
    })
    await until(() => out.dex.counts.tokensIssued === tokenRequests)
    expect(out.backend.requests.map(request => request.body)).toEqual(['text'])
  })

  test.each([301, 302, 303, 307, 308])(
    'a redirect (%i) is returned, and nobody else receives anything',
    async status => {
      await using out = await startOutgoingCalls({
        answer: (_, response) =>
          void response.writeHead(status, { location: out.elsewhere.url }).end('moved'),
      })
      // The Fetch standard shows no body of a redirect that is not followed; axios reads it all the same.
      expect((await clientOf(out).call(out.backend.url)).status).toBe(status)
      expect(out.elsewhere.requests).toEqual([])
    },
  )

  test('a caller who leaves while it waits for the token is not kept, and nothing is sent', async () => {
    await using out = await startOutgoingCalls()
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const called = clientOf(out)
      .call(out.backend.url, { signal: leaving.signal })
      .catch((error: Error) => error.name)
    await until(() => out.dex.counts.tokenRequests === 1)
    leaving.abort()
    expect(await called).toBe(name === 'got' ? 'AbortError' : 'CanceledError')
    expect(out.backend.requests).toEqual([])
  })

  test('an error shows no token when it is logged', async () => {
    await using out = await startOutgoingCalls({
      answer: (_, response) => void response.writeHead(500).end('no'),
    })
    const error = await clientOf(out)
      .strict(out.backend.url)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    const token = out.broker.peekToken()?.accessToken ?? ''
    expect(tokensOf(out.backend)).toEqual([token])
    for (const shown of [
      inspect(error),
      inspect(error, { depth: 10 }),
      JSON.stringify(error, withoutCycles()),
    ]) {
      expect(shown).not.toContain(token)
    }
  })

  test('a place that a redirect leads to gets its token when it is allowed', async () => {
    await using out = await startOutgoingCalls()
    await using start = await startOutgoingCalls({
      answer: (_, response) => void response.writeHead(302, { location: `${out.backend.url}/to` }).end(),
    })
    const { status } = await clientOf(out).call(start.backend.url)
    expect(start.backend.requests[0]?.headers.authorization).toBeUndefined()
    // Only got asks its hooks for each hop; axios goes there without a token.
    expect([status, linesOf(out.backend).length]).toEqual([200, 1])
    const { headers } = out.backend.requests[0] ?? {}
    expect(headers?.authorization !== undefined).toBe(name === 'got')
  })
})

interface Refusal {
  readonly challenge?: string
  readonly stream?: boolean
  readonly maxReplayBytes?: number
}

/** For `JSON.stringify`: leaves out what stands further up already. */
function withoutCycles() {
  const seen = new Set<unknown>()
  return (_: string, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    if (seen.has(value)) return undefined
    seen.add(value)
    return value
  }
}

describe('an axios instance', () => {
  test('runs the transforms and the other interceptors once for each call, whatever the number of tries', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const seen: string[] = []
    const noted = <T>(what: string, value: T): T => {
      seen.push(what)
      return value
    }
    const client = axios.create({
      baseURL: `${out.backend.url}/v1`,
      transformRequest: [data => noted('transformRequest', `<${data}>`)],
      transformResponse: [data => noted('transformResponse', `[${data}]`)],
    })
    client.interceptors.request.use(config => noted('request', config))
    client.interceptors.response.use(response => noted('response', response.data))
    axiosInterceptor(out.broker, { allow: [`${out.backend.url}/v1`] })(client)
    expect(await client.post('/orders', 'x')).toBe('[ok]')
    expect(seen).toEqual(['request', 'transformRequest', 'transformResponse', 'response'])
    expect(out.backend.requests.map(({ path, body }) => `${path} ${body}`)).toEqual([
      '/v1/orders <x>',
      '/v1/orders <x>',
    ])
  })

  test('is judged by the URL that it ends up with, not by the one that it began with', async () => {
    await using out = await startOutgoingCalls()
    const client = axios.create({ baseURL: out.backend.url })
    const toElsewhere = (config: { baseURL?: string }) =>
      Object.assign(config, { baseURL: out.elsewhere.url })
    client.interceptors.request.use(toElsewhere as never)
    axiosInterceptor(out.broker, { allow: [out.backend.url] })(client)
    client.interceptors.request.use(toElsewhere as never)
    await client.get('/x')
    expect(out.elsewhere.requests[0]?.headers.authorization).toBeUndefined()
    await caughtUp(out.dex)
    expect(out.dex.counts.tokenRequests).toBe(0)
  })

  test('has its own Basic authorization kept, replaced on demand', async () => {
    await using out = await startOutgoingCalls()
    const auth = { username: 'u', password: 'p' }
    for (const ownAuthorization of ['keep', 'replace'] as const) {
      const client = axios.create({ auth })
      axiosInterceptor(out.broker, { allow: [out.backend.url], ownAuthorization })(client)
      await client.get(out.backend.url)
    }
    expect(out.backend.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Basic dTpw',
      `Bearer ${out.broker.peekToken()?.accessToken}`,
    ])
  })

  test('may be asked again with the configuration of an error, and gets a token again', async () => {
    await using out = await startOutgoingCalls({ answer: answerOnly(() => false) })
    const client = axios.create()
    const number = axiosInterceptor(out.broker, { allow: [out.backend.url] })(client)
    const failure = await client
      .get(out.backend.url)
      .catch((error: { config: object; request: object }) => error)
    expect((failure as { request: object }).request).toBeDefined()
    await client.request((failure as { config: object }).config).catch(() => {})
    expect(tokensOf(out.backend).every(Boolean)).toBe(true)
    client.interceptors.request.eject(number)
    await client.get(out.backend.url).catch(() => {})
    expect(tokensOf(out.backend).at(-1)).toBeUndefined()
  })

  test('takes a form of the platform, and sends it a second time', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const client = axios.create()
    axiosInterceptor(out.broker, { allow: [out.backend.url] })(client)
    const form = new FormData()
    form.set('name', 'value')
    expect((await client.post(out.backend.url, form)).status).toBe(200)
    for (const { body } of out.backend.requests) expect(body).toContain('value')
  })

  test('lets go of a refusal that was asked for as a stream', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const client = axios.create({ responseType: 'stream' })
    axiosInterceptor(out.broker, { allow: [out.backend.url] })(client)
    const { data } = await client.get<Readable>(out.backend.url)
    expect(Buffer.concat(await data.toArray()).toString()).toBe('ok')
  })
})

describe('got', () => {
  test('keeps its other hooks for the second try, and its own retries get a token each', async () => {
    let answers = 0
    const refuse = refuseFirstToken()
    await using out = await startOutgoingCalls({
      answer: (request, response) =>
        answers++ === 0 ? void response.writeHead(503).end() : refuse(request, response),
    })
    const seen: number[] = []
    const client = got.extend({
      hooks: gotHooks(out.broker, { allow: [out.backend.url] }),
      retry: { limit: 1, calculateDelay: ({ computedValue }) => (computedValue === 0 ? 0 : 1) },
    })
    const afterResponse = [
      <T extends { statusCode: number }>(response: T): T => {
        seen.push(response.statusCode)
        return response
      },
    ]
    expect((await client(out.backend.url, { hooks: { afterResponse } })).body).toBe('ok')
    // The 401 is ours alone.
    expect(seen).toEqual([503, 200])
    expect(new Set(tokensOf(out.backend)).size).toBe(2)
  })

  test('takes its headers back when another hook sends the second try elsewhere', async () => {
    await using out = await startOutgoingCalls({
      answer: (_, response) => void response.writeHead(418).end(),
    })
    const client = got.extend({
      hooks: gotHooks(out.broker, { allow: [out.backend.url] }),
      throwHttpErrors: false,
    })
    const afterResponse = [
      (response: { statusCode: number }, retry: (options: object) => never) =>
        response.statusCode === 418 ? retry({ url: new URL(out.elsewhere.url) }) : response,
    ]
    await client(out.backend.url, { hooks: { afterResponse: afterResponse as never } })
    expect(out.backend.requests).toHaveLength(1)
    expect(out.elsewhere.requests[0]?.headers.authorization).toBeUndefined()
    expect(out.elsewhere.requests[0]?.headers['x-access-token']).toBeUndefined()
  })

  test('as a stream carries the token, and gets a 401 as it is', async () => {
    await using out = await startOutgoingCalls()
    const client = got.extend({ hooks: gotHooks(out.broker, { allow: [out.backend.url] }) })
    const parts = await client.stream(out.backend.url).toArray()
    expect(Buffer.concat(parts).toString()).toBe('ok')
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
  })
})

test.each([
  ['allow', { allow: [] }],
  ['maxReplayBytes', { allow: ['https://a.test'], maxReplayBytes: -1 }],
  ['fetch is not an option', { allow: ['https://a.test'], fetch }],
])('wrong options are refused by name: %s', async (message, options) => {
  await using out = await startOutgoingCalls()
  expect(() => axiosInterceptor(out.broker, options)).toThrow(message)
  expect(() => gotHooks(out.broker, options)).toThrow(message)
})
