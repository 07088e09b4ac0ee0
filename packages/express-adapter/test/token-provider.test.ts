import type { IssuedToken, TokenProvider } from '@broker/core'
import { listening, startRecordingServer } from '@broker/testing'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { describe, expect, test } from 'vitest'
import { attachToken, createRequestFetch, tokenOf } from '../src/index.ts'
import { expressVersions } from './express-versions.ts'

const fake = { getToken: async () => ({ accessToken: 'test' }) }

describe.each(expressVersions)('a fake of three lines in %s', (_, express) => {
  async function forwarded(provider: TokenProvider, status = 200) {
    await using backend = await startRecordingServer((_request, response) => response.writeHead(status).end())
    const app = express()
    const attached: (IssuedToken | undefined)[] = []
    app.use(attachToken(provider), (request, _response, next) => {
      attached.push(tokenOf(request))
      next()
    })
    app.use(createProxyMiddleware({ target: backend.url }))
    await using server = await listening(app)
    const headers = { authorization: 'Bearer forged', 'x-client-id': 'forged', 'x-mine': 'kept' }
    const response = await fetch(server.url, { headers: { ...headers, connection: 'close' } })
    return { status: response.status, headers: backend.requests[0]?.headers, attached }
  }

  test('attachToken sends its token and removes what a broker would remove', async () => {
    const { headers, attached } = await forwarded(fake)
    expect(headers).toMatchObject({ authorization: 'Bearer test', 'x-mine': 'kept' })
    expect(headers).not.toHaveProperty('x-client-id')
    expect(attached.map(token => token?.accessToken)).toEqual(['test'])
  })

  test('attachToken passes a 401 on, and tells an invalidate which token it was', async () => {
    expect((await forwarded(fake, 401)).status).toBe(401)
    const refused: string[] = []
    const invalidate = ({ accessToken }: IssuedToken) => refused.push(accessToken) > 0
    expect((await forwarded({ ...fake, invalidate }, 401)).status).toBe(401)
    expect(refused).toEqual(['test'])
  })

  test('createRequestFetch sends its token', async () => {
    await using backend = await startRecordingServer()
    const app = express()
    const requestFetch = createRequestFetch(fake, { allow: [backend.url], token: () => ({ scope: 'read' }) })
    app.get('/', (request, response, next) => {
      requestFetch(request)(backend.url).then(({ status }) => response.json({ status }), next)
    })
    await using server = await listening(app)
    await fetch(server.url, { headers: { connection: 'close' } })
    expect(backend.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer test'])
  })
})

test('exchange needs a provider that can exchange', () => {
  expect(() => attachToken(fake, { exchange: { connectorId: 'github' } })).toThrow(
    new TypeError('exchange needs a broker with the method exchange'),
  )
})
