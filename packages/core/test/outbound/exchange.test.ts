import { startRecordingServer } from '@broker/testing'
import { Agent, fetch as undiciFetch } from 'undici'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { gotHooks } from '../../src/outbound/got-hooks.ts'
import { headerProvider } from '../../src/outbound/header-provider.ts'
import { tokenInterceptor } from '../../src/undici/token-interceptor.ts'
import { failureOf } from '../broker-with-dex.ts'
import { claimsOf, startBrokerWithUsers } from '../exchange/broker-with-users.ts'

const exchange = { connectorId: 'staff', scope: 'openid email' } as const

/** The email in the token of each call that a backend received. */
function emailsAt({ requests }: Awaited<ReturnType<typeof startRecordingServer>>): unknown[] {
  return requests.map(({ headers }) => claimsOf(String(headers['authorization']))['email'])
}

describe('outgoing calls on behalf of a user', () => {
  test('carry the token of the user, whichever HTTP client sends them', async () => {
    await using running = await startBrokerWithUsers()
    await using backend = await startRecordingServer()
    const { broker } = running
    const options = { allow: [backend.url], exchange: { ...exchange, subjectToken: running.jwtOf('alice') } }
    await (await createFetch(broker, options)(`${backend.url}/a`)).text()
    await (
      await fetch(`${backend.url}/b`, { headers: await headerProvider(broker, options)(backend.url) })
    ).text()
    const dispatcher = new Agent().compose(tokenInterceptor(broker, options))
    await (await undiciFetch(`${backend.url}/c`, { dispatcher })).text()
    await dispatcher.close()
    const request = { url: `${backend.url}/d`, headers: {}, context: {}, followRedirect: true }
    await gotHooks(broker, options).beforeRequest[0]?.(request as never)
    await (await fetch(request.url, { headers: request.headers })).text()
    expect(emailsAt(backend)).toEqual([
      'alice@example.com',
      'alice@example.com',
      'alice@example.com',
      'alice@example.com',
    ])
    expect(running.dex.counts).toMatchObject({ exchangeRequests: 1, tokenRequests: 1 })
  })

  test('are sent once more with a new exchange after a 401', async () => {
    await using running = await startBrokerWithUsers()
    let answers = 0
    await using backend = await startRecordingServer((_request, response) => {
      response.statusCode = answers++ === 0 ? 401 : 200
      response.end()
    })
    const send = createFetch(running.broker, {
      allow: [backend.url],
      exchange: { ...exchange, subjectToken: running.jwtOf('alice') },
    })
    expect((await send(backend.url, { method: 'POST', body: 'x' })).status).toBe(200)
    expect(running.dex.counts.exchangeRequests).toBe(2)
    expect(backend.requests.map(({ body }) => body)).toEqual(['x', 'x'])
  })

  test('are not sent without a token of the user', async () => {
    await using running = await startBrokerWithUsers()
    await using backend = await startRecordingServer()
    const send = createFetch(running.broker, {
      allow: [backend.url],
      exchange: { ...exchange, subjectToken: 'no jwt' },
    })
    expect(await failureOf(send(backend.url))).toMatchObject({ code: 'invalid_token' })
    expect(backend.requests).toEqual([])
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('never go to the token endpoint with a token', async () => {
    await using running = await startBrokerWithUsers()
    const send = createFetch(running.broker, {
      allow: [new URL(running.dex.issuer).origin],
      exchange: { ...exchange, subjectToken: running.jwtOf('alice') },
    })
    await (await send(running.dex.tokenEndpoint, { method: 'POST' })).text()
    expect(running.dex.counts.exchangeRequests).toBe(0)
  })
})

describe('the option exchange', () => {
  test.each([
    ['undefined', { exchange: undefined }, 'exchange must be an object'],
    ['a promise', { exchange: Promise.resolve({}) }, 'exchange must be an object'],
    ['no subject token', { exchange }, 'exchange has no subjectToken, a JWT as a string'],
    ['no connector', { exchange: { subjectToken: 'x' } }, 'exchange has no connectorId'],
    [
      'an unknown member',
      { exchange: { ...exchange, subjectToken: 'x', audience: 'y' } },
      'exchange has the unknown member "audience"',
    ],
    [
      'a token as well',
      { exchange: { ...exchange, subjectToken: 'x' }, token: {} },
      'exchange must come without token',
    ],
  ])('is refused: %s', async (_, options, message) => {
    await using running = await startBrokerWithUsers()
    const all = { allow: ['https://api.example.com'], ...(options as object) } as never
    for (const make of [createFetch, headerProvider, tokenInterceptor, gotHooks]) {
      expect(() => make(running.broker, all)).toThrow(new TypeError(message))
    }
  })

  test('needs a broker that can exchange', async () => {
    const fake = { getToken: async () => ({ accessToken: 'test' }) }
    const options = { allow: ['https://api.example.com'], exchange: { ...exchange, subjectToken: 'x' } }
    expect(() => createFetch(fake, options)).toThrow('exchange needs a broker with the method exchange')
  })
})
