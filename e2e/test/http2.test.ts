import type { OutgoingHttpHeaders } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { caller, credentials } from '../harness/dex.ts'
import { http2Statuses } from '../harness/http2-client.ts'
import { withConnect } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

describeWithEnvoy('a client that speaks HTTP/2', () => {
  const system = useSystem(() => ({ listeners: { tunnels: withConnect } }))
  afterEach(() => system().backend.clear())

  const statuses = (requests: readonly OutgoingHttpHeaders[], body?: string) =>
    http2Statuses(system().port(), requests, body)

  test('gets 200 for a hundred requests side by side, each with our token at the backend', async () => {
    const request = {
      ':method': 'PUT',
      ':path': '/orders/7?a=1',
      ...credentials,
      authorization: 'Bearer forged',
    }
    const answers = await statuses(Array(100).fill(request), 'a body')
    expect(answers).toEqual(Array(100).fill(200))
    expect(system().backend.requests).toHaveLength(100)
    for (const arrived of system().backend.requests) {
      expect(arrived).toMatchObject({
        method: 'PUT',
        url: '/orders/7?a=1',
        bodyLength: 6,
        tokenAudience: caller.id,
      })
      expect(arrived.header('x-client-secret')).toEqual([])
    }
  })

  test('can use M-SEARCH, which Envoy refuses over HTTP/1.1', async () => {
    const request = { ':method': 'M-SEARCH', ':path': '/orders' }
    expect(await statuses([request])).toEqual([401])
    expect(await statuses([{ ...request, ...credentials }])).toEqual([200])
    expect(system().backend.requests).toMatchObject([{ method: 'M-SEARCH', tokenAudience: caller.id }])
  })

  test('is refused for a method that nobody knows, and for one in lower case', async () => {
    const requests = ['BREW', 'delete', 'Get'].map(method => ({
      ':method': method,
      ':path': '/orders',
      ...credentials,
    }))
    const askedOfBackend = () => system().envoy.stat('cluster.backend.upstream_rq_total')
    const before = await askedOfBackend()
    expect(await statuses(requests)).toEqual([400, 400, 400])
    // The backend would answer 400 too.
    expect(await askedOfBackend()).toBe(before)
  })

  test('gets no tunnel', async () => {
    const request = { ':method': 'CONNECT', ':authority': 'backend.example:443', ...credentials }
    expect(await http2Statuses(system().port('tunnels'), [request])).toEqual([403])
  })

  test('may have blanks around its credentials', async () => {
    const padded = Object.fromEntries(
      Object.entries(credentials).map(([name, value]) => [name, ` ${value}\t`]),
    )
    expect(await statuses([{ ':path': '/orders', ...padded }])).toEqual([200])
    expect(system().backend.requests).toMatchObject([{ tokenAudience: caller.id }])
  })

  test('is refused without credentials, whatever path it asks for', async () => {
    const paths = [
      '/',
      '/orders',
      '/healthz',
      '/../healthz',
      '/%2e%2e/healthz',
      '//healthz',
      '/check',
      '/..;/healthz',
    ]
    const answers = await statuses(paths.map(path => ({ ':path': path })))
    for (const status of answers) expect([400, 401]).toContain(status)
    expect(system().backend.requests).toEqual([])
  })
})
