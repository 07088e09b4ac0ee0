import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { headerProvider } from '../../src/outbound/header-provider.ts'
import { caughtUp, failureOf, until } from '../broker-with-dex.ts'
import { startOutgoingCalls } from './outgoing-calls.ts'

test('a URL inside the allow-list gets every header of the token, in an object of its own', async () => {
  await using out = await startOutgoingCalls()
  const headersFor = headerProvider(out.broker, { allow: [`${out.backend.url}/v1`] })
  const headers = await headersFor(new URL(`${out.backend.url}/v1/orders?x=1`))
  const token = out.broker.peekToken()?.accessToken
  expect(headers).toEqual({ authorization: `Bearer ${token}`, 'x-access-token': token })
  headers['x-mine'] = 'mine'
  expect(await headersFor(`${out.backend.url}/v1`)).not.toHaveProperty('x-mine')
  expect(out.dex.counts.tokenRequests).toBe(1)
})

test('a URL outside, and the token endpoint, get no header, and no token is asked for', async () => {
  await using out = await startOutgoingCalls()
  const allow = [`${out.backend.url}/v1`, new URL(out.dex.tokenEndpoint).origin]
  const headersFor = headerProvider(out.broker, { allow })
  const { backend, elsewhere, dex } = out
  const urls = [
    `${backend.url}/v1x`,
    `${backend.url}/v1/%2e%2e%2fv2`,
    `${elsewhere.url}/v1`,
    dex.tokenEndpoint,
  ]
  for (const url of urls) expect(await headersFor(url)).toEqual({})
  await caughtUp(dex)
  expect(dex.counts.tokenRequests).toBe(0)
})

test.each(['/v1', '', 'orders', 'https://', undefined, null, {}])(
  'what is no absolute URL is refused, not answered without a token: %j',
  async url => {
    await using out = await startOutgoingCalls()
    const headersFor = headerProvider(out.broker, { allow: [out.backend.url] })
    await expect(headersFor(url as never)).rejects.toThrow(TypeError)
    await expect(headersFor(url as never)).rejects.toThrow('url must be an absolute URL')
  },
)

test('it rejects when there is no token, and with the reason of a caller who leaves', async () => {
  await using out = await startOutgoingCalls()
  const headersFor = headerProvider(out.broker, { allow: [out.backend.url], token: { scope: 'groups' } })
  out.dex.setFault('token', { kind: 'hang' })
  const leaving = new AbortController()
  const asked = headersFor(out.backend.url, { signal: leaving.signal })
  await until(() => out.dex.counts.tokenRequests === 1)
  const reason = new Error('left')
  leaving.abort(reason)
  await expect(asked).rejects.toBe(reason)
  expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0)
  const waiting = failureOf(headersFor(out.backend.url))
  await out.broker.close()
  expect((await waiting).message).toBe('the broker is closed')
})

test('wrong options are refused by name', async () => {
  await using out = await startOutgoingCalls()
  expect(() => headerProvider(out.broker, { allow: [] })).toThrow('allow must be')
  expect(() => headerProvider(out.broker, undefined as never)).toThrow('options must be an object with allow')
})
