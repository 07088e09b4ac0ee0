import { createHash, randomBytes } from 'node:crypto'
import { METHODS } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { ask, send } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

/** Envoy refuses these over HTTP/1.1 before it asks anybody. */
const unknownToEnvoy = ['CONNECT', 'M-SEARCH']
/** Envoy refuses QUERY without it (RFC 10008). */
const contentType = { 'content-type': 'text/plain' }
const megabyte = 1024 * 1024

function sha256(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

describeWithEnvoy('the method and the body of a request', () => {
  const system = useSystem()
  afterEach(() => system().backend.clear())

  test.each(METHODS.filter(method => !unknownToEnvoy.includes(method)))(
    '%s passes with credentials and is refused without',
    async method => {
      const refused = await ask(system().port(), { method, target: '/orders', headers: contentType })
      expect(refused.status).toBe(401)
      expect(system().backend.requests).toEqual([])

      const headers = { ...contentType, ...credentials }
      const answer = await ask(system().port(), { method, target: '/orders', headers })
      expect(answer.status).toBe(200)
      expect(system().backend.requests).toMatchObject([{ method, url: '/orders', tokenAudience: caller.id }])
    },
  )

  test.each([...unknownToEnvoy, 'BREW', 'get', ''])('"%s" gets no answer from the backend', async method => {
    const target = method === 'CONNECT' ? 'backend.example:443' : '/orders'
    const answer = await send(system().port(), { method, target, headers: credentials })
    expect(answer?.status).not.toBe(200)
    expect(system().backend.requests).toEqual([])
  })

  test.each([
    ['without a body', undefined],
    ['with an empty body', ''],
    ['with one byte', 'x'],
    ['with 5 MB', randomBytes(5 * megabyte)],
  ])('a request %s arrives as it was sent', async (_, body) => {
    const answer = await ask(system().port(), {
      method: 'POST',
      headers: credentials,
      ...(body !== undefined && { body }),
    })
    expect(answer.status).toBe(200)
    const [arrived] = system().backend.requests
    expect(arrived).toMatchObject({ method: 'POST', tokenAudience: caller.id })
    expect(arrived?.bodySha256).toBe(sha256(body ?? ''))
  })

  test('a chunked body arrives as it was sent', async () => {
    const chunks = [randomBytes(1), randomBytes(70_000), randomBytes(megabyte)]
    const body = Buffer.concat([
      ...chunks.flatMap(chunk => [
        Buffer.from(`${chunk.length.toString(16)}\r\n`),
        chunk,
        Buffer.from('\r\n'),
      ]),
      Buffer.from('0\r\n\r\n'),
    ])
    const headers = { ...credentials, 'transfer-encoding': 'chunked' }
    const answer = await ask(system().port(), { method: 'PUT', headers, body })
    expect(answer.status).toBe(200)
    const [arrived] = system().backend.requests
    expect(arrived).toMatchObject({ method: 'PUT', bodySha256: sha256(Buffer.concat(chunks)) })
  })

  test('a body that comes with a refused request reaches nobody', async () => {
    const answer = await ask(system().port(), { method: 'POST', body: randomBytes(megabyte) })
    expect(answer.status).toBe(401)
    expect(system().backend.requests).toEqual([])
  })

  test('a request that expects 100-continue passes', async () => {
    const headers = { ...credentials, expect: '100-continue' }
    const answer = await ask(system().port(), { method: 'POST', headers, body: 'x' })
    expect([100, 200]).toContain(answer.status)
  })
})
