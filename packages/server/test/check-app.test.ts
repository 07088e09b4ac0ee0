import { BrokerError, TokenBroker, type Verdict } from '@broker/core'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createCheckApp } from '../src/http/check-app.ts'
import { orders, startDex } from './support/start-broker.ts'

async function startApp(onVerdict?: (verdict: Verdict) => void) {
  const dex = await startDex()
  const broker = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint })
  return {
    dex,
    broker,
    app: createCheckApp(broker, onVerdict),
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
    },
  }
}

describe('createCheckApp', () => {
  test.each(['/', '/check', '/healthz', '/readyz', '/metrics', '/a/b?c', '/x/../healthz', '/%2e%2e/healthz'])(
    'answers %s as a check, without any socket',
    async path => {
      await using under = await startApp()
      const refused = await under.app.request(path)
      expect(refused.status).toBe(401)
      expect(await refused.json()).toMatchObject({ error: 'missing_credentials' })
      const passed = await under.app.request(path, { headers: orders })
      expect(passed.status).toBe(200)
      expect(passed.headers.get('authorization')).toMatch(/^Bearer ey/)
      expect(passed.headers.get('content-length')).toBe('0')
    },
  )

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])(
    'answers %s as a check',
    async method => {
      await using under = await startApp()
      expect((await under.app.request('/x', { method })).status).toBe(401)
      expect((await under.app.request('/x', { method, headers: orders })).status).toBe(200)
    },
  )

  test('answers as a check wherever it is mounted', async () => {
    await using under = await startApp()
    const site = new Hono().get('/healthz', context => context.text('the site')).route('/auth', under.app)
    expect(await (await site.request('/healthz')).text()).toBe('the site')
    expect((await site.request('/auth/healthz')).status).toBe(401)
    expect((await site.request('/auth/healthz', { headers: orders })).status).toBe(200)
  })

  test('refuses a client id that came twice and was joined on the way', async () => {
    await using under = await startApp()
    const headers = new Headers(orders)
    headers.append('x-client-id', 'billing')
    expect((await under.app.request('/', { headers })).status).toBe(401)
  })

  test('tells each verdict', async () => {
    const verdicts: string[] = []
    await using under = await startApp(verdict =>
      verdicts.push(verdict.outcome === 'allow' ? 'allow' : verdict.code),
    )
    await under.app.request('/', { headers: orders })
    await under.app.request('/')
    expect(verdicts).toEqual(['allow', 'missing_credentials'])
  })

  test('lets a caller leave without ending the token request that others wait for', async () => {
    await using under = await startApp()
    under.dex.setFault('token', { kind: 'slow', delayMs: 200 })
    const leaving = new AbortController()
    const left = under.app.request('/', { headers: orders, signal: leaving.signal })
    const waiting = under.app.request('/', { headers: orders })
    leaving.abort()
    expect((await left).status).toBe(499)
    expect((await waiting).status).toBe(200)
    expect(under.dex.counts.tokenRequests).toBe(1)
  })

  test('answers 503 and not 200 when the broker is closed', async () => {
    await using under = await startApp()
    await under.broker.close()
    expect((await under.app.request('/', { headers: orders })).status).toBe(503)
  })

  test('answers 5xx without a word of what went wrong inside', async () => {
    await using under = await startApp()
    const broken = new TokenBroker({
      tokenEndpoint: under.dex.tokenEndpoint,
      transport: () => Promise.reject(new BrokerError('server_error', 'x', { cause: new Error('a secret') })),
    })
    const answer = await createCheckApp(broken).request('/', { headers: orders })
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(await answer.text()).not.toContain('a secret')
    await broken.close()
  })
})
