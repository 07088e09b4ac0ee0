import { once } from 'node:events'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { caller, credentials } from '../harness/dex.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

describeWithEnvoy('a client that speaks HTTP/2', () => {
  const system = useSystem()
  afterEach(() => system().backend.clear())

  /** The status of each request; all of them at the same time, on one connection. */
  async function statuses(requests: readonly OutgoingHttpHeaders[], body = ''): Promise<number[]> {
    const client = connect(`http://127.0.0.1:${system().port()}`)
    try {
      return await Promise.all(
        requests.map(async headers => {
          const stream = client.request(
            { ':authority': 'orders.example.com', ...headers },
            { endStream: false },
          )
          stream.end(body)
          const [answered] = await once(stream, 'response')
          await text(stream)
          return answered[':status'] as number
        }),
      )
    } finally {
      client.close()
    }
  }

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

  // By the HTTP parser of the broker, or over gRPC, where the method is data, of the backend.
  test('is refused for a method that nobody knows', async () => {
    expect(await statuses([{ ':method': 'BREW', ':path': '/orders', ...credentials }])).toEqual([400])
    expect(system().backend.requests).toEqual([])
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
