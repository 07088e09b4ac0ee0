import { METHODS } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ChooseClient, TokenBroker } from '@broker/core'
import { ask } from '@broker/testing'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createCheckApp } from '../src/http/check-app.ts'
import { createCheckListener } from '../src/http/check-listener.ts'

type Seen = Partial<Parameters<ChooseClient>[1]>

/** A listener whose rule notes what it reads, and denies. */
async function startListener() {
  const seen: Seen[] = []
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.example.com/token',
    chooseClient: (_, request) => {
      const { method, rawPath, query, isPathClear, host } = request
      seen.push({ method, rawPath, query, host, ...(isPathClear && { path: request.path }) })
      return { deny: 'seen' }
    },
  })
  const app = createCheckApp(broker)
  const listener = createCheckListener(app)
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  return {
    app,
    seen,
    /** What the rule reads of one request. */
    async read(target: string, method = 'GET'): Promise<Seen | undefined> {
      seen.length = 0
      const { status } = await ask(port, { method, target, headers: { host: 'API.example.com' } })
      expect(status).toBe(403)
      return seen[0]
    },
    async [Symbol.asyncDispose]() {
      listener.close()
      listener.closeAllConnections()
      await broker.close()
    },
  }
}

describe('a rule reads', () => {
  test.each<[string, string, string, string | undefined]>([
    ['/check/', '/', '', '/'],
    ['/check/orders/17', '/orders/17', '', '/orders/17'],
    ['/check/%6frders?a=%62&c=/x?', '/%6frders', 'a=%62&c=/x?', '/orders'],
    ['/check/check', '/check', '', '/check'],
    ['/check/?', '/', '', '/'],
    ['/check/x/../../healthz', '/x/../../healthz', '', undefined],
    ['/check//evil.test', '//evil.test', '', undefined],
    ['/check/a%2fb', '/a%2fb', '', undefined],
    ['/check/a\\b', '/a\\b', '', undefined],
    ['/check/a;b', '/a;b', '', undefined],
    ['/check/http://x/y', '/http://x/y', '', undefined],
  ])('%s as the path %s and the query "%s"', async (target, rawPath, query, path) => {
    await using listener = await startListener()
    expect(await listener.read(target)).toEqual({
      method: 'GET',
      rawPath,
      query,
      host: 'api.example.com',
      ...(path !== undefined && { path }),
    })
  })

  test.each(['/check', '/check?', '/check?a=b', '/check?/admin'])(
    'no path in %s, because the path of the client is not in it',
    async target => {
      await using listener = await startListener()
      expect(await listener.read(target)).toMatchObject({ rawPath: '', query: '' })
      expect(listener.seen[0]).not.toHaveProperty('path')
    },
  )

  test('the method of the client', async () => {
    await using listener = await startListener()
    for (const method of METHODS.filter(name => name !== 'CONNECT')) {
      expect(await listener.read('/check/a', method)).toMatchObject({ method, path: '/a' })
    }
  })

  test('no path where another framework passes the request on', async () => {
    await using listener = await startListener()
    const site = new Hono().route('/auth', listener.app)
    for (const app of [listener.app, site]) {
      expect(
        (await app.request('http://api.example.com/auth/../auth/orders', { method: 'PUT' })).status,
      ).toBe(403)
    }
    expect(listener.seen).toMatchObject([
      { method: 'PUT', rawPath: '' },
      { method: 'PUT', rawPath: '' },
    ])
  })
})
