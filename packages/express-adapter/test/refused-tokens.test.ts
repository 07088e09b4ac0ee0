import { request as httpRequest, type RequestListener, type ServerResponse } from 'node:http'
import { type IssuedToken, TokenBroker } from '@broker/core'
import { listening, type RecordingServer } from '@broker/testing'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { describe, expect, test } from 'vitest'
import { attachToken, brokerErrorHandler, requireJwt, tokenOf } from '../src/index.ts'
import { startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

/** A proxy that gives status and headers at once, where Express does not see them one by one. */
function rawProxy(backend: RecordingServer): RequestListener {
  return (incoming, outgoing) => {
    const { method, url, rawHeaders } = incoming
    const options = { method, path: url, headers: rawHeaders as never, agent: false } as const
    const forwarded = httpRequest(backend.url, options, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  }
}

const proxies: [string, (backend: RecordingServer) => RequestListener][] = [
  ['http-proxy-middleware', ({ url }) => createProxyMiddleware({ target: url }) as RequestListener],
  ['a proxy that writes the head itself', rawProxy],
]

/** Answers 401 to the tokens that it is told to refuse. */
function refuse(
  backend: RecordingServer,
  isRefused: (token: string) => boolean,
  headers: Record<string, string> = {},
): void {
  backend.answer = (request, response) => {
    if (isRefused(String(request.headers['x-access-token']))) response.writeHead(401, headers).end('not you')
    else response.end('ok')
  }
}

describe.each(expressVersions)('attachToken in %s', (_version, express) => {
  test.each(proxies)(
    'after a 401 of the backend the next request gets another token: %s',
    async (_name, proxy) => {
      await using setting = await startSetting()
      await using server = await listening(express().use(attachToken(setting.broker), proxy(setting.backend)))
      const dead = (await setting.broker.getToken()).accessToken
      refuse(setting.backend, token => token === dead)
      const statuses = [(await fetch(server.url)).status, (await fetch(server.url)).status]
      expect(statuses).toEqual([401, 200])
      expect(setting.backend.requests[1]?.headers['x-access-token']).not.toBe(dead)
      expect(setting.dex.counts.tokenRequests).toBe(2)
    },
  )

  test.each(proxies)('a token without enough scope stays: %s', async (_name, proxy) => {
    await using setting = await startSetting()
    await using server = await listening(express().use(attachToken(setting.broker), proxy(setting.backend)))
    refuse(setting.backend, () => true, { 'www-authenticate': 'Bearer error="insufficient_scope"' })
    expect((await fetch(server.url)).status).toBe(401)
    expect(setting.broker.peekToken()).toBeDefined()
  })

  test('the very token that was attached goes, not its successor, and one in 10 seconds', async () => {
    await using setting = await startSetting()
    const batch = { clientId: 'batch', clientSecret: 'batch-secret' }
    const attach = attachToken(setting.broker, { token: () => batch })
    await using server = await listening(express().use(attach, rawProxy(setting.backend)))
    const own = await setting.broker.getToken()
    refuse(setting.backend, () => true)
    for (let calls = 0; calls < 5; calls++) await (await fetch(server.url)).text()
    expect(setting.broker.peekToken()).toBe(own)
    expect(new Set(setting.backend.requests.map(({ headers }) => headers['x-access-token'])).size).toBe(2)
  })

  test('a 401 of ours says nothing about the token', async () => {
    await using setting = await startSetting()
    const { tokenEndpoint } = setting.dex
    await using other = new TokenBroker({ tokenEndpoint })
    const wrong = attachToken(other, { token: () => ({ clientId: 'portal', clientSecret: 'wrong' }) })
    const app = express().use(attachToken(setting.broker), wrong, rawProxy(setting.backend))
    await using server = await listening(app.use(brokerErrorHandler()))
    expect((await fetch(server.url)).status).toBe(401)
    expect(setting.broker.peekToken()).toBeDefined()
  })

  test('tokenOf gives the token that was attached to a request, to whoever watches the backend', async () => {
    await using setting = await startSetting()
    const seen: (IssuedToken | undefined)[] = []
    const app = express()
    app.use((request, _response, next) => {
      seen.push(tokenOf(request))
      next()
    })
    app.use(attachToken(setting.broker), (request, response) => {
      seen.push(tokenOf(request))
      response.send('ok')
    })
    await using server = await listening(app)
    await (await fetch(server.url)).text()
    expect(seen).toEqual([undefined, setting.broker.peekToken()])
    expect(seen[1]).toBe(setting.broker.peekToken())
  })

  describe('a function that chooses the token', () => {
    const batch = { clientId: 'batch', clientSecret: 'batch-secret' }

    test('may be async: its token is the one that it resolves to', async () => {
      await using setting = await startSetting()
      const secrets = async () => batch
      const attach = attachToken(setting.broker, { token: async () => await secrets() })
      await using server = await listening(express().use(attach, rawProxy(setting.backend)))
      expect((await fetch(server.url)).status).toBe(200)
      const [received] = setting.backend.requests
      expect(received?.headers['x-access-token']).toBe(setting.broker.peekToken(batch)?.accessToken)
      expect(setting.broker.peekToken()).toBeUndefined()
    })

    test('may give an object with getters', async () => {
      await using setting = await startSetting()
      class Tenant {
        get clientId() {
          return batch.clientId
        }
        get clientSecret() {
          return batch.clientSecret
        }
      }
      const attach = attachToken(setting.broker, { token: () => new Tenant() })
      await using server = await listening(express().use(attach, rawProxy(setting.backend)))
      await (await fetch(server.url)).text()
      expect(setting.broker.peekToken(batch)).toBeDefined()
      expect(setting.broker.peekToken()).toBeUndefined()
    })

    test.each<[string, unknown, string]>([
      ['nothing', undefined, 'token must return a token request'],
      ['a promise of nothing', Promise.resolve(), 'token must return a token request'],
      ['a name', 'batch', 'token must return a token request'],
      ['an array', [], 'token must return a token request'],
      ['a misspelt name', { clientID: 'batch' }, 'token.clientID is not an option'],
      ['a wrong type', { clientId: 5 }, 'clientId must be a string'],
    ])(
      'and gives %s ends the request: no token of another client goes out instead',
      async (_name, given, message) => {
        await using setting = await startSetting()
        const errors: Error[] = []
        const app = express().use(attachToken(setting.broker, { token: () => given as never }))
        app.use(rawProxy(setting.backend))
        app.use((error: Error, _request: unknown, response: ServerResponse, _next: unknown) => {
          errors.push(error)
          response.writeHead(500).end()
        })
        await using server = await listening(app)
        expect((await fetch(server.url)).status).toBe(500)
        expect(errors[0]).toBeInstanceOf(TypeError)
        expect(errors[0]?.message).toContain(message)
        expect(setting.backend.requests).toEqual([])
      },
    )

    test('and rejects ends the request with its reason', async () => {
      await using setting = await startSetting()
      const attach = attachToken(setting.broker, { token: () => Promise.reject(new Error('no vault')) })
      const app = express().use(attach, rawProxy(setting.backend))
      app.use((error: Error, _request: unknown, response: ServerResponse, _next: unknown) => {
        response.writeHead(500).end(error.message)
      })
      await using server = await listening(app)
      expect(await (await fetch(server.url)).text()).toBe('no vault')
      expect(setting.backend.requests).toEqual([])
    })
  })

  test('a 401 by the gate in front leaves the token alone', async () => {
    await using setting = await startSetting()
    const app = express().use(
      requireJwt(setting.broker),
      attachToken(setting.broker),
      rawProxy(setting.backend),
    )
    await using server = await listening(app.use(brokerErrorHandler()))
    const token = await setting.broker.getToken()
    expect((await fetch(server.url)).status).toBe(401)
    expect(setting.broker.peekToken()).toBe(token)
  })
})
