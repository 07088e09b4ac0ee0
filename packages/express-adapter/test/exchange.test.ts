import { TokenBroker } from '@broker/core'
import { type DevDex, encodeDexSubject, startDevDex } from '@broker/dev-dex'
import { type Listening, listening, type RecordingServer, startRecordingServer, until } from '@broker/testing'
import type { Response as ExpressResponse, RequestHandler } from 'express'
import { describe, expect, test } from 'vitest'
import {
  attachToken,
  authOf,
  brokerErrorHandler,
  createRequestFetch,
  headerProvider,
  requireJwt,
} from '../src/index.ts'
import { expressVersions } from './express-versions.ts'

const exchange = { connectorId: 'staff', scope: 'openid email' } as const

interface Setting extends AsyncDisposable {
  readonly idp: DevDex
  readonly dex: DevDex
  readonly broker: TokenBroker
  readonly backend: RecordingServer
  jwtOf(user: string): string
}

/** Users of an identity provider, a Dex with a connector to it, a broker with a gate, and a backend. */
async function startSetting(): Promise<Setting> {
  const idp = await startDevDex({ algorithm: 'ES256' })
  const dex = await startDevDex({
    algorithm: 'ES256',
    clients: [{ id: 'portal', secret: 'portal-secret' }],
    connectors: [{ type: 'oidc', id: 'staff', issuer: idp.issuer }],
  })
  const backend = await startRecordingServer()
  const broker = new TokenBroker({
    tokenEndpoint: dex.tokenEndpoint,
    client: { clientId: 'portal', clientSecret: 'portal-secret' },
    gate: { jwksUri: idp.jwksUri, issuer: idp.issuer, audience: 'web' },
  })
  return {
    idp,
    dex,
    broker,
    backend,
    jwtOf: user =>
      idp.userToken({ client: 'web', userID: user, username: user, email: `${user}@example.com` }),
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
      await idp.close()
      await backend[Symbol.asyncDispose]()
    },
  }
}

/** The claims of the tokens that the backend received. */
function received({ backend }: Setting): Record<string, unknown>[] {
  return backend.requests.map(({ headers }) => {
    const [, payload = ''] = String(headers['authorization']).split('.')
    return JSON.parse(Buffer.from(payload, 'base64url').toString())
  })
}

describe.each(expressVersions)('on behalf of the caller, in %s', (_version, express) => {
  async function serve(handlers: RequestHandler[], errors: unknown[] = []): Promise<Listening> {
    const app = express()
    for (const handler of handlers) app.use(handler)
    app.use(brokerErrorHandler())
    app.use((error: unknown, _request: unknown, response: ExpressResponse, _next: unknown) => {
      errors.push(error)
      response.status(500).end()
    })
    return listening(app)
  }

  function calling(setting: Setting): RequestHandler {
    const requestFetch = createRequestFetch(setting.broker, { allow: [setting.backend.url], exchange })
    return (request, response, next) => {
      const call = async () => {
        const answer = await requestFetch(request)(`${setting.backend.url}/orders`)
        response.send(String(answer.status))
      }
      call().catch(next)
    }
  }

  test('each user calls the backend as itself, with one exchange for many requests', async () => {
    await using setting = await startSetting()
    await using server = await serve([requireJwt(setting.broker), calling(setting)])
    const jwts = ['alice', 'bob'].map(setting.jwtOf)
    for (const jwt of [...jwts, ...jwts]) {
      const answer = await fetch(server.url, { headers: { authorization: `Bearer ${jwt}` } })
      expect(await answer.text()).toBe('200')
    }
    expect(received(setting).map(({ email }) => email)).toEqual(
      ['alice', 'bob', 'alice', 'bob'].map(user => `${user}@example.com`),
    )
    expect(received(setting)[0]?.['sub']).toBe(encodeDexSubject(encodeDexSubject('alice', 'local'), 'staff'))
    expect(setting.dex.counts).toMatchObject({ exchangeRequests: 2, tokenRequests: 2 })
  })

  test('a request without requireJwt fails, and no token of the client is sent instead', async () => {
    await using setting = await startSetting()
    const errors: unknown[] = []
    await using server = await serve([calling(setting)], errors)
    const answer = await fetch(server.url, { headers: { authorization: `Bearer ${setting.jwtOf('alice')}` } })
    expect(answer.status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', message: 'requireJwt has not run for this request' }])
    expect(setting.backend.requests).toEqual([])
    expect(setting.dex.counts.tokenRequests).toBe(0)
  })

  test('a user whom Dex refuses gets 403', async () => {
    await using setting = await startSetting()
    await using server = await serve([requireJwt(setting.broker), calling(setting)])
    const nameless = setting.idp.userToken({ client: 'web', userID: 'nameless', email: 'n@example.com' })
    const answer = await fetch(server.url, { headers: { authorization: `Bearer ${nameless}` } })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toEqual({
      error: 'forbidden',
      error_description: "the caller's token was not accepted for a token exchange",
    })
    expect(setting.backend.requests).toEqual([])
  })

  test('a 401 of the backend causes one new exchange and one more call', async () => {
    await using setting = await startSetting()
    let answers = 0
    setting.backend.answer = (_request, response) => {
      response.statusCode = answers++ === 0 ? 401 : 200
      response.end()
    }
    await using server = await serve([requireJwt(setting.broker), calling(setting)])
    const answer = await fetch(server.url, { headers: { authorization: `Bearer ${setting.jwtOf('alice')}` } })
    expect(await answer.text()).toBe('200')
    expect(setting.dex.counts.exchangeRequests).toBe(2)
    expect(new Set(setting.backend.requests.map(({ headers }) => headers['authorization'])).size).toBe(2)
  })

  test('attachToken puts the token of the caller in place of the JWT, and needs requireJwt', async () => {
    await using setting = await startSetting()
    const seen: (string | undefined)[] = []
    const show: RequestHandler = (request, response) => {
      seen.push(request.headers.authorization)
      response.end()
    }
    const attach = attachToken(setting.broker, { exchange })
    await using server = await serve([requireJwt(setting.broker), attach, show])
    const jwt = setting.jwtOf('alice')
    await fetch(server.url, { headers: { authorization: `Bearer ${jwt}` } })
    expect(seen).toHaveLength(1)
    expect(seen[0]).not.toContain(jwt)
    const token = await setting.broker.exchange({ ...exchange, subjectToken: jwt })
    expect(seen[0]).toBe(`Bearer ${token.accessToken}`)
    expect(setting.dex.counts.tokenRequests).toBe(1)

    const errors: unknown[] = []
    await using open = await serve([attach, show], errors)
    expect((await fetch(open.url, { headers: { authorization: `Bearer ${jwt}` } })).status).toBe(500)
    expect(errors).toMatchObject([{ message: 'requireJwt has not run for this request' }])
    expect(seen).toHaveLength(1)
  })

  test('a client that leaves ends its call, and not the exchange', async () => {
    await using setting = await startSetting()
    setting.dex.setFault('token', { kind: 'slow', delayMs: 50 })
    await using server = await serve([requireJwt(setting.broker), calling(setting)])
    const jwt = setting.jwtOf('alice')
    const leaving = new AbortController()
    const left = fetch(server.url, { headers: { authorization: `Bearer ${jwt}` }, signal: leaving.signal })
    left.catch(() => {})
    const staying = fetch(server.url, { headers: { authorization: `Bearer ${jwt}` } })
    await until(() => setting.dex.counts.exchangeRequests === 1)
    leaving.abort()
    expect((await staying).status).toBe(200)
    expect(setting.dex.counts.exchangeRequests).toBe(1)
  })
})

test('headerProvider works for one caller', async () => {
  await using setting = await startSetting()
  const headersFor = headerProvider(setting.broker, {
    allow: [setting.backend.url],
    exchange: { ...exchange, subjectToken: setting.jwtOf('alice') },
  })
  const headers = await headersFor(`${setting.backend.url}/orders`)
  await fetch(setting.backend.url, { headers })
  expect(received(setting)[0]?.['email']).toBe('alice@example.com')
})

describe('the option exchange', () => {
  test.each([
    ['undefined', { exchange: undefined }, 'exchange must be an object'],
    ['a text', { exchange: 'staff' }, 'exchange must be an object'],
    ['no connector', { exchange: {} }, 'exchange has no connectorId'],
    [
      'a subject token',
      { exchange: { connectorId: 'staff', subjectToken: 'x' } },
      'exchange has the unknown member "subjectToken"',
    ],
    ['a token as well', { exchange, token: {} }, 'exchange must come without token'],
  ])('is refused: %s', async (_, options, message) => {
    await using setting = await startSetting()
    const { broker, backend } = setting
    const wrong = options as never as { exchange: typeof exchange }
    expect(() => createRequestFetch(broker, { allow: [backend.url], ...wrong })).toThrow(
      new TypeError(message),
    )
    expect(() => attachToken(broker, wrong)).toThrow(new TypeError(message))
  })

  test('reads the caller where other middlewares cannot write it', async () => {
    await using setting = await startSetting()
    const forged = { auth: { token: setting.jwtOf('alice') }, res: {} }
    const requestFetch = createRequestFetch(setting.broker, { allow: [setting.backend.url], exchange })
    expect(() => requestFetch(forged as never)).toThrow('requireJwt has not run for this request')
    expect(() => authOf(forged as never)).toThrow(TypeError)
  })
})
