import { startRecordingServer } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { TokenRequest } from '../../src/clients/token-request.ts'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { headerProvider } from '../../src/outbound/header-provider.ts'
import { outgoingWays } from './outgoing-ways.ts'

/** A provider whose token is the scope of the request and the number of its call. */
function scopedProvider() {
  const scopes: (string | undefined)[] = []
  const getToken = async ({ scope }: TokenRequest = {}) => {
    scopes.push(scope)
    return { accessToken: `${scope}-${scopes.length}` }
  }
  return { getToken, scopes }
}

/** Takes the tenant from the first segment of the path. */
function tenantOf(asked: string[]) {
  return async (url: URL): Promise<TokenRequest> => {
    asked.push(url.pathname)
    return { scope: url.pathname.split('/')[1] ?? '' }
  }
}

function startBackend(isRefused: (authorization: string) => boolean = () => false) {
  return startRecordingServer(({ headers, path }, response) => {
    if (path === '/blue/moved') response.writeHead(302, { location: '/green/orders' }).end()
    else response.writeHead(isRefused(headers.authorization ?? '') ? 401 : 200).end()
  })
}

const authorizationsOf = ({ requests }: Awaited<ReturnType<typeof startBackend>>) =>
  requests.map(({ headers }) => headers.authorization)

describe.each(Object.entries(outgoingWays))('a function token of %s', (_, { make, replaces }) => {
  test('chooses the token by the URL of each call', async () => {
    await using backend = await startBackend()
    const asked: string[] = []
    const send = make(scopedProvider(), { allow: [backend.url], token: tenantOf(asked) })
    await send(`${backend.url}/blue/orders`)
    await send(`${backend.url}/green/orders`)
    expect(asked).toEqual(['/blue/orders', '/green/orders'])
    expect(authorizationsOf(backend)).toEqual(['Bearer blue-1', 'Bearer green-2'])
  })

  test('may return a token request without a promise', async () => {
    await using backend = await startBackend()
    const send = make(scopedProvider(), { allow: [backend.url], token: () => ({ scope: 'plain' }) })
    await send(backend.url)
    expect(authorizationsOf(backend)).toEqual(['Bearer plain-1'])
  })

  test('is not called for a place outside allow', async () => {
    await using backend = await startBackend()
    const asked: string[] = []
    const send = make(scopedProvider(), { allow: [`${backend.url}/blue`], token: tenantOf(asked) })
    expect(await send(`${backend.url}/green/orders`)).toBe(200)
    expect(asked).toEqual([])
    expect(authorizationsOf(backend)).toEqual([undefined])
  })

  test.skipIf(!replaces)('is not called again for the call after a 401', async () => {
    await using backend = await startBackend(authorization => authorization === 'Bearer blue-1')
    const asked: string[] = []
    const send = make(scopedProvider(), { allow: [backend.url], token: tenantOf(asked) })
    expect(await send(`${backend.url}/blue/orders`)).toBe(200)
    expect(asked).toEqual(['/blue/orders'])
    expect(authorizationsOf(backend)).toEqual(['Bearer blue-1', 'Bearer blue-2'])
  })

  test.each([undefined, null, 'blue', ['blue'], 5])('that returns %j sends nothing', async wrong => {
    await using backend = await startBackend()
    const provider = scopedProvider()
    for (const token of [() => wrong, async () => wrong]) {
      const send = make(provider, { allow: [backend.url], token: token as never })
      await expect(send(backend.url)).rejects.toEqual(new TypeError('token must return a token request'))
    }
    expect(provider.scopes).toEqual([])
    expect(backend.requests).toEqual([])
  })

  test('that fails sends nothing', async () => {
    await using backend = await startBackend()
    const failure = new Error('no tenant')
    const failing = [
      () => Promise.reject(failure),
      () => {
        throw failure
      },
    ]
    for (const token of failing) {
      const send = make(scopedProvider(), { allow: [backend.url], token })
      await expect(send(backend.url)).rejects.toBe(failure)
    }
    expect(backend.requests).toEqual([])
  })

  test('does not hold a caller who leaves', async () => {
    await using backend = await startBackend()
    const leaving = new AbortController()
    const send = make(scopedProvider(), {
      allow: [backend.url],
      token: () => {
        queueMicrotask(() => leaving.abort())
        return new Promise<never>(() => {})
      },
    })
    await expect(send(backend.url, leaving.signal)).rejects.toThrow()
    expect(backend.requests).toEqual([])
  })

  test('cannot change the URL of the call', async () => {
    await using backend = await startBackend()
    const send = make(scopedProvider(), {
      allow: [backend.url],
      token: url => {
        url.pathname = '/elsewhere'
        return { scope: 'any' }
      },
    })
    await send(`${backend.url}/orders`)
    expect(backend.requests.map(({ path }) => path)).toEqual(['/orders'])
  })
})

test('createFetch calls the function again for the URL of a redirect', async () => {
  await using backend = await startBackend()
  const asked: string[] = []
  const call = createFetch(scopedProvider(), { allow: [backend.url], token: tenantOf(asked) })
  expect((await call(`${backend.url}/blue/moved`)).status).toBe(200)
  expect(asked).toEqual(['/blue/moved', '/green/orders'])
  expect(authorizationsOf(backend)).toEqual(['Bearer blue-1', 'Bearer green-2'])
})

test('a function token excludes exchange', () => {
  const exchange = { connectorId: 'github', subjectToken: 'x' }
  const options = { allow: ['https://api.example.com'], token: () => ({}), exchange }
  expect(() => headerProvider(scopedProvider(), options)).toThrow('exchange must come without token')
})
