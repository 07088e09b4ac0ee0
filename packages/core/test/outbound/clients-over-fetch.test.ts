import ky from 'ky'
import createClient from 'openapi-fetch'
import { describe, expect, test } from 'vitest'
import { linesOf, refuseFirstToken, startOutgoingCalls } from './outgoing-calls.ts'

interface Paths {
  '/orders': { post: { requestBody: { content: { 'application/json': { n: number } } }; responses: object } }
}

/** Clients that hand over a `Request`, of which the body is a stream whatever it was made from. */
const clients: Readonly<Record<string, (call: typeof fetch, url: string) => Promise<number>>> = {
  'a Request': async (call, url) =>
    (await call(new Request(`${url}/orders`, { method: 'POST', body: '{"n":1}' }))).status,
  ky: async (call, url) => (await ky.post(`${url}/orders`, { json: { n: 1 }, fetch: call, retry: 0 })).status,
  'openapi-fetch': async (call, url) =>
    (
      await createClient<Paths>({ baseUrl: url, fetch: call }).POST('/orders', {
        body: { n: 1 },
        parseAs: 'text',
      })
    ).response.status,
}

describe.each(Object.entries(clients))('%s', (_, post) => {
  test('sends its body a second time after a 401', async () => {
    await using out = await startOutgoingCalls({ answer: refuseFirstToken() })
    expect(await post(out.call, out.backend.url)).toBe(200)
    const [first, second] = out.backend.requests
    expect([first?.body, second?.body]).toEqual(['{"n":1}', '{"n":1}'])
    expect(second?.headers['content-type']).toBe(first?.headers['content-type'])
    for (const { headers } of out.backend.requests) expect(headers['content-length']).toBe('7')
  })

  test('sends its body a second time after a 307 inside the allow-list', async () => {
    await using out = await startOutgoingCalls({
      answer: ({ path }, response) =>
        void response.writeHead(path === '/orders' ? 307 : 200, { location: '/moved' }).end(),
    })
    expect(await post(out.call, out.backend.url)).toBe(200)
    expect(linesOf(out.backend)).toEqual(['POST /orders', 'POST /moved'])
    expect(out.backend.requests[1]?.body).toBe('{"n":1}')
  })
})
