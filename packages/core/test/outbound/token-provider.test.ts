import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { startRecordingServer } from '@broker/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Broker } from '../../src/broker.ts'
import type { TokenRequest } from '../../src/clients/token-request.ts'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { headerProvider } from '../../src/outbound/header-provider.ts'
import { ResolvedProvider } from '../../src/outbound/resolved-provider.ts'
import type { ProvidedToken, TokenProvider } from '../../src/outbound/token-provider.ts'
import type { Wait } from '../../src/shared/wait-for.ts'
import type { TokenBroker } from '../../src/token-broker.ts'
import type { IssuedToken } from '../../src/tokens/issued-token.ts'
import { startBrokerWithDex } from '../broker-with-dex.ts'
import { outgoingWays } from './outgoing-ways.ts'

/** A fake whose tokens are `token-1`, `token-2` and so on, up to a last one. */
function fakeProvider(last = Number.POSITIVE_INFINITY) {
  const requests: (TokenRequest & Wait)[] = []
  const getToken = async (request: TokenRequest & Wait = {}) => {
    requests.push(request)
    return { accessToken: `token-${Math.min(requests.length, last)}` }
  }
  return { getToken, requests }
}

function startBackend(accepts: (authorization: string) => boolean = () => true) {
  return startRecordingServer(({ headers }, response) => {
    response.writeHead(accepts(headers.authorization ?? '') ? 200 : 401).end()
  })
}

const authorizationsOf = ({ requests }: Awaited<ReturnType<typeof startBackend>>) =>
  requests.map(({ headers }) => headers.authorization)

describe.each(Object.entries(outgoingWays))('%s', (_, { make, replaces }) => {
  test('works with a fake of three lines', async () => {
    await using backend = await startBackend()
    const fake = { getToken: async () => ({ accessToken: 'test' }) }
    const send = make(fake, { allow: [backend.url] })
    expect(await send(`${backend.url}/orders`)).toBe(200)
    expect(authorizationsOf(backend)).toEqual(['Bearer test'])
  })

  test('passes the token request and the signal of the call to getToken', async () => {
    await using backend = await startBackend()
    const fake = fakeProvider()
    const send = make(fake, { allow: [backend.url], token: { scope: 'read' } })
    await send(backend.url, new AbortController().signal)
    expect(fake.requests).toMatchObject([{ scope: 'read', signal: expect.any(AbortSignal) }])
  })

  test('rejects with the error of getToken and sends nothing', async () => {
    await using backend = await startBackend()
    const failure = new Error('no token today')
    const send = make({ getToken: () => Promise.reject(failure) }, { allow: [backend.url] })
    await expect(send(backend.url)).rejects.toBe(failure)
    expect(backend.requests).toEqual([])
  })

  test.each([
    undefined,
    null,
    {},
    { accessToken: '' },
    { accessToken: 1 },
    { accessToken: 'secret\r\nx: y' },
  ])('refuses the token %j without showing it', async token => {
    await using backend = await startBackend()
    const send = make({ getToken: async () => token as never }, { allow: [backend.url] })
    const failure: unknown = await send(backend.url).catch(error => error)
    expect(failure).toEqual(
      new TypeError('getToken must resolve to an object with accessToken, a string in visible ASCII'),
    )
    expect(inspect(failure)).not.toContain('secret')
    expect(backend.requests).toEqual([])
  })

  test.skipIf(!replaces)(
    'after a 401 calls getToken once more and repeats the call with another token',
    async () => {
      await using backend = await startBackend(authorization => authorization === 'Bearer token-2')
      const fake = fakeProvider()
      const send = make(fake, { allow: [backend.url], token: { scope: 'read' } })
      expect(await send(backend.url)).toBe(200)
      expect(authorizationsOf(backend)).toEqual(['Bearer token-1', 'Bearer token-2'])
      expect(fake.requests).toMatchObject([{ scope: 'read' }, { scope: 'read' }])
    },
  )

  test.skipIf(!replaces)('returns the 401 when getToken returns the same token again', async () => {
    await using backend = await startBackend(() => false)
    const fake = fakeProvider(1)
    const send = make(fake, { allow: [backend.url] })
    expect(await send(backend.url)).toBe(401)
    expect(backend.requests).toHaveLength(1)
    expect(fake.requests).toHaveLength(2)
  })

  test.skipIf(!replaces)('tells invalidate which token was refused', async () => {
    await using backend = await startBackend(authorization => authorization === 'Bearer token-2')
    const refused: IssuedToken[] = []
    const fake = { ...fakeProvider(), invalidate: (token: IssuedToken) => refused.push(token) > 0 }
    await make(fake, { allow: [backend.url] })(backend.url)
    expect(refused.map(({ accessToken, headers }) => [accessToken, headers])).toEqual([
      ['token-1', { authorization: 'Bearer token-1' }],
    ])
  })
})

test('a header of the provider carries its tokens', async () => {
  const fake = { ...fakeProvider(), authorizationHeader: 'x-backend-token' }
  const headersFor = headerProvider(fake, { allow: ['https://api.example.com'] })
  expect(await headersFor('https://api.example.com/')).toEqual({ 'x-backend-token': 'Bearer token-1' })
})

test('the header of the provider counts in any case, so that a call with its own one keeps it', async () => {
  await using backend = await startBackend()
  const fake = { ...fakeProvider(), authorizationHeader: 'Authorization' }
  await createFetch(fake, { allow: [backend.url] })(backend.url, { headers: { authorization: 'own' } })
  expect(authorizationsOf(backend)).toEqual(['own'])
  expect(new ResolvedProvider(fake).tokenHeaders).toEqual(['authorization'])
})

test('a token that has headers is sent with them', async () => {
  const headers = { authorization: 'Bearer test', 'x-tenant': 'blue' }
  const fake = { getToken: async () => ({ accessToken: 'test', headers }) }
  const headersFor = headerProvider(fake, { allow: ['https://api.example.com'] })
  expect(await headersFor('https://api.example.com/')).toEqual(headers)
})

test.each([
  ['an empty object', {}],
  ['Headers', new Headers({ authorization: 'Bearer secret' })],
  ['a Map', new Map([['authorization', 'Bearer secret']])],
  ['a name in upper case', { Authorization: 'Bearer secret' }],
  ['a list', { authorization: ['Bearer secret'] }],
  ['a text', 'authorization: Bearer secret'],
])('a token whose headers are %s is refused, and no call is sent without it', async (_, headers) => {
  await using backend = await startBackend()
  const send = createFetch(
    { getToken: async () => ({ accessToken: 'secret', headers: headers as never }) },
    { allow: [backend.url] },
  )
  await expect(send(backend.url)).rejects.toThrow(
    new TypeError('headers of a token must be an object with at least one name in lower case, and strings'),
  )
  expect(backend.requests).toEqual([])
})

test('a promise of another realm is awaited', async () => {
  const foreign = runInNewContext('Promise.resolve({ accessToken: "test" })')
  expect(foreign).not.toBeInstanceOf(Promise)
  const provider = { ...fakeProvider(), tokenFor: () => foreign }
  const headersFor = headerProvider(provider, { allow: ['https://api.example.com'] })
  expect(await headersFor('https://api.example.com/')).toEqual({ authorization: 'Bearer test' })
})

test('no token goes to an endpoint of the provider', async () => {
  const fake = { ...fakeProvider(), asksAt: ({ pathname }: URL) => pathname === '/token' }
  const headersFor = headerProvider(fake, { allow: ['https://api.example.com'] })
  expect(await headersFor('https://api.example.com/token')).toEqual({})
  expect(fake.requests).toEqual([])
})

test.each([undefined, null, {}, 'broker', { tokenFor: () => ({}) }])('%j is refused as a provider', value => {
  expect(() => createFetch(value as never, { allow: ['https://api.example.com'] })).toThrow(
    new TypeError('broker must be a TokenBroker, or an object with the method getToken'),
  )
})

test('a token request that a broker would refuse is refused for a fake too', async () => {
  const wrong = { scope: 5 } as never
  const options = { allow: ['https://api.example.com'] }
  expect(() => createFetch(fakeProvider(), { ...options, token: wrong })).toThrow(
    'token: scope must be a string',
  )
  const headersFor = headerProvider(fakeProvider(), { ...options, token: () => wrong })
  await expect(headersFor('https://api.example.com/')).rejects.toThrow('scope must be a string')
})

test('a fake has the headers of a broker with default options', async () => {
  await using running = await startBrokerWithDex(dex => ({ gate: { jwksUri: dex.jwksUri } }))
  const resolved = new ResolvedProvider(fakeProvider())
  const { authorizationHeader, tokenHeaders, credentialHeaders } = running.broker
  expect(resolved.authorizationHeader).toBe(authorizationHeader)
  expect(resolved.tokenHeaders).toEqual(tokenHeaders)
  expect(resolved.credentialHeaders).toEqual(credentialHeaders)
})

test("a broker's cached token passes without a promise and without a copy", async () => {
  await using running = await startBrokerWithDex({
    client: { clientId: 'orders', clientSecret: 'orders-secret' },
  })
  const issued = await running.broker.getToken()
  expect(new ResolvedProvider(running.broker).tokenFor({})).toBe(issued)
})

test('the token of a fake hides itself like a token of a broker', async () => {
  const token = await new ResolvedProvider({ getToken: async () => ({ accessToken: 'hidden' }) }).tokenFor({})
  expect(token.accessToken).toBe('hidden')
  const shown = [
    inspect(token, { showHidden: true, getters: true }),
    JSON.stringify(token),
    Object.values(token),
  ]
  expect(JSON.stringify(shown)).not.toContain('hidden')
})

test('the types take a broker and a fake of three lines', () => {
  expectTypeOf<TokenBroker>().toExtend<TokenProvider>()
  expectTypeOf<Broker>().toExtend<TokenProvider>()
  expectTypeOf<IssuedToken>().toExtend<ProvidedToken>()
  expectTypeOf<{ getToken: () => Promise<{ accessToken: string }> }>().toExtend<TokenProvider>()
  expectTypeOf<{ getToken: () => Promise<{ token: string }> }>().not.toExtend<TokenProvider>()
})
