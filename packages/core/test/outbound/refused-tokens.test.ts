import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { until } from '../broker-with-dex.ts'
import { answerOnly, refuseFirstToken, startOutgoingCalls, tokensOf } from './outgoing-calls.ts'

const everybody = () => false

/** A server that refuses before it has read the body. */
async function startEarlyRefusal(onRequest: () => void): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_, response) => {
    onRequest()
    response.writeHead(401).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

describe('a 401', () => {
  test.each(['Bearer', 'Bearer error="invalid_token"', undefined])(
    'with %s is tried again with another token',
    async challenge => {
      await using out = await startOutgoingCalls({
        answer: refuseFirstToken(challenge),
      })
      const response = await out.call(out.backend.url)
      expect([response.status, await response.text()]).toEqual([200, 'ok'])
      const [refused, accepted] = tokensOf(out.backend)
      expect(accepted).toBe(out.broker.peekToken()?.accessToken)
      expect(refused).not.toBe(accepted)
      expect(out.dex.counts.tokenRequests).toBe(2)
    },
  )

  test('of a token without enough scope is returned, and the token stays', async () => {
    const challenge = 'Basic realm="x", Bearer error="insufficient_scope", scope="more"'
    await using out = await startOutgoingCalls({ answer: answerOnly(everybody, challenge) })
    const response = await out.call(out.backend.url)
    expect([response.status, await response.text()]).toEqual([401, 'not you'])
    expect(tokensOf(out.backend)).toEqual([out.broker.peekToken()?.accessToken])
    expect(out.dex.counts.tokenRequests).toBe(1)
  })

  test.each([403, 400, 500])('is no %i', async status => {
    await using out = await startOutgoingCalls({
      answer: (_, response) => void response.writeHead(status).end(),
    })
    expect((await out.call(out.backend.url)).status).toBe(status)
    expect(out.dex.counts.tokenRequests).toBe(1)
  })

  test('after a redirect is tried again where it came from', async () => {
    const refuse = refuseFirstToken()
    await using out = await startOutgoingCalls({
      answer: (request, response) => {
        if (request.path === '/from') response.writeHead(307, { location: '/to' }).end()
        else refuse(request, response)
      },
    })
    const response = await out.call(`${out.backend.url}/from`, { method: 'POST', body: 'text' })
    expect(await response.text()).toBe('ok')
    expect(out.backend.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/from', 'text'],
      ['/to', 'text'],
      ['/to', 'text'],
    ])
  })

  test.each([
    ['a string', () => 'grüße'],
    ['parameters', () => new URLSearchParams({ a: 'b c' })],
    ['a buffer', () => Buffer.from('bytes')],
    ['an ArrayBuffer', () => new Uint8Array([1, 2, 3]).buffer],
    ['a view of a part', () => new DataView(new ArrayBuffer(10), 2, 3)],
    ['a Blob', () => new Blob(['blob'], { type: 'text/x' })],
  ])('sends %s a second time', async (_, body) => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const response = await out.call(out.backend.url, { method: 'POST', body: body() })
    expect(response.status).toBe(200)
    await response.text()
    const [first, second] = out.backend.requests
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['content-type']).toBe(first?.headers['content-type'])
    expect(first?.body).not.toBe('')
  })

  test('sends a form a second time, with its files', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    const form = new FormData()
    form.set('name', 'value')
    form.set('file', new File(['content of it'], 'a.txt'))
    const response = await out.call(out.backend.url, { method: 'POST', body: form })
    expect(await response.text()).toBe('ok')
    expect(out.backend.requests).toHaveLength(2)
    for (const { body } of out.backend.requests) expect(body).toContain('content of it')
  })

  test.each([
    ['a stream', () => ({ body: new Blob(['once']).stream(), duplex: 'half' as const })],
    ['a long string', () => ({ body: 'x'.repeat(11) })],
    [
      'a long form',
      () => {
        const body = new FormData()
        body.set('file', new File(['12345678901'], 'a.txt'))
        return { body }
      },
    ],
  ])('on %s is returned, and the next call has a fresh token', async (_, init) => {
    await using out = await startOutgoingCalls({
      answer: refuseFirstToken(),
      outgoing: { maxReplayBytes: 10 },
    })
    const response = await out.call(out.backend.url, { method: 'POST', ...init() })
    expect([response.status, await response.text()]).toEqual([401, 'not you'])
    await until(() => out.broker.peekToken() !== undefined)
    const next = await out.call(out.backend.url, { method: 'POST', ...init() })
    expect([next.status, await next.text()]).toEqual([200, 'ok'])
    expect(out.backend.requests).toHaveLength(2)
    expect(out.dex.counts.tokenRequests).toBe(2)
  })

  test.each([
    ['longer than maxReplayBytes', 'more than ten', 10],
    ['when maxReplayBytes is 0', 'x', 0],
  ])(
    "on a Request's own body %s is returned, and the body was sent whole",
    async (_, body, maxReplayBytes) => {
      await using out = await startOutgoingCalls({ answer: refuseFirstToken(), outgoing: { maxReplayBytes } })
      const response = await out.call(new Request(out.backend.url, { method: 'POST', body }))
      expect([response.status, await response.text()]).toEqual([401, 'not you'])
      await until(() => out.broker.peekToken() !== undefined)
      expect(out.backend.requests.map(request => request.body)).toEqual([body])
    },
  )

  test("on a Request's own body that does not end is returned after a while", async () => {
    let refusals = 0
    await using early = await startEarlyRefusal(() => refusals++)
    await using out = await startOutgoingCalls({ outgoing: { allow: [early.url] } })
    const body = new ReadableStream({ start: controller => controller.enqueue(Buffer.from('a part')) })
    const leaving = new AbortController()
    const { signal } = leaving
    const response = await out.call(new Request(early.url, { method: 'POST', body, duplex: 'half', signal }))
    expect(response.status).toBe(401)
    expect(refusals).toBe(1)
    leaving.abort()
  })

  test("takes no more of a Request's body than is sent and maxReplayBytes", async () => {
    await using out = await startOutgoingCalls({ outgoing: { maxReplayBytes: 100_000 } })
    let parts = 0
    let most = 0
    const body = new ReadableStream(
      {
        pull(controller) {
          most = Math.max(most, parts)
          if (parts++ === 1024) controller.close()
          else controller.enqueue(Buffer.alloc(16_384))
        },
      },
      { highWaterMark: 0 },
    )
    const response = await out.call(new Request(out.backend.url, { method: 'POST', body, duplex: 'half' }))
    await response.text()
    expect(most).toBe(1024)
    expect(out.backend.requests[0]?.body.length).toBe(1024 * 16_384)
  })

  test('on a Request without body is tried again', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    expect(await (await out.call(new Request(out.backend.url))).text()).toBe('ok')
    expect(out.backend.requests).toHaveLength(2)
  })

  test.each(['html', 'hang'] as const)('is returned when Dex has no other token (%s)', async kind => {
    await using out = await startOutgoingCalls({
      answer: answerOnly(everybody),
      broker: { requestTimeoutMs: 200 },
    })
    await out.broker.getToken()
    out.dex.setFault('token', { kind })
    const response = await out.call(out.backend.url)
    expect([response.status, await response.text()]).toEqual([401, 'not you'])
    expect(out.backend.requests).toHaveLength(1)
  })

  test('with a body without end is given up after a while', async () => {
    const refuse = refuseFirstToken()
    await using out = await startOutgoingCalls({
      answer: (request, response) => {
        if (out.backend.requests.length > 1) return refuse(request, response)
        refuse(request, { writeHead: () => ({ end() {} }), end() {} } as never)
        response.writeHead(401)
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        }
        response.on('drain', more)
        more()
      },
    })
    expect(await (await out.call(out.backend.url)).text()).toBe('ok')
  })

  test('does not keep a caller who leaves while another token is fetched', async () => {
    await using out = await startOutgoingCalls({ answer: answerOnly(everybody) })
    await out.broker.getToken()
    out.dex.setFault('token', { kind: 'hang' })
    const leaving = new AbortController()
    const called = out.call(out.backend.url, { signal: leaving.signal })
    await until(() => out.dex.counts.tokenRequests === 2)
    leaving.abort('gone')
    await expect(called).rejects.toBe('gone')
  })
})

test('twenty refusals of one token at the same time cost one new token', async () => {
  await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
  await out.broker.getToken()
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await out.call(out.backend.url)
      await response.text()
      return response.status
    }),
  )
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(out.dex.counts.tokensIssued).toBe(2)
  expect(out.backend.requests).toHaveLength(40)
})

test('a backend that refuses every token costs one new token in 10 seconds, not one for each call', async () => {
  await using out = await startOutgoingCalls({ answer: answerOnly(everybody) })
  const call = async () => {
    const response = await out.call(out.backend.url)
    expect([response.status, await response.text()]).toEqual([401, 'not you'])
  }
  for (let calls = 0; calls < 200; calls++) await call()
  expect(out.dex.counts.tokensIssued).toBe(2)
  expect(out.backend.requests).toHaveLength(201)
  out.clock.advance(10_000)
  for (let calls = 0; calls < 20; calls++) await call()
  expect(out.dex.counts.tokensIssued).toBe(3)
})
