import { once } from 'node:events'
import { connect } from 'node:net'
import { until, within } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import { bearer, gated, type PageUnderTest, startPage } from './start-page.ts'

const routes = ['/', '/status', '/status/events'] as const

/** The head of an answer, and what follows; an event stream has no end. */
function open(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>> = { host: 'localhost' },
) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('error', () => {})
  socket.on('data', data => {
    received += data
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return {
    text: () => received,
    status: async () => {
      await until(() => received.includes('\r\n\r\n'), 'an answer')
      return Number(received.slice(9, 12))
    },
    closed: once(socket, 'close'),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

async function statusOf(page: PageUnderTest, target: string, headers?: Readonly<Record<string, string>>) {
  using connection = open(page.port, target, headers)
  return await connection.status()
}

describe('who sees the status page', () => {
  test.each(routes)('%s: somebody on this host, and nobody else', async target => {
    await using page = await startPage()
    for (const host of ['localhost', '127.0.0.1:8081', '[::1]:8081']) {
      expect(await statusOf(page, target, { host })).toBe(200)
    }
    for (const headers of [
      { host: 'broker.example.com' },
      { host: 'localhost', 'x-forwarded-for': '10.0.0.1' },
      { host: 'localhost', forwarded: 'for=10.0.0.1' },
      { host: 'localhost', 'x-envoy-internal': 'true' },
    ]) {
      expect(await statusOf(page, target, headers)).toBe(404)
    }
  })

  test.each(routes)('%s: nobody with ADMIN_PAGE=off, and everybody with on', async target => {
    await using off = await startPage(() => ({ ADMIN_PAGE: 'off' }))
    expect(await statusOf(off, target)).toBe(404)
    await using on = await startPage(() => ({ ADMIN_PAGE: 'on' }))
    expect(await statusOf(on, target, { host: 'broker.example.com', 'x-forwarded-for': '10.0.0.1' })).toBe(
      200,
    )
  })

  test('a refusal looks like a path that does not exist', async () => {
    await using page = await startPage(() => ({ ADMIN_PAGE: 'off' }))
    const { body, headers } = await page.get('/no-such-path')
    const withoutDate = (all: typeof headers) => JSON.stringify(all).replace(/\w+, \d+ [^"]+ GMT/, '')
    for (const target of routes) {
      const answer = await page.get(target)
      expect(answer).toMatchObject({ status: 404, body })
      expect(withoutDate(answer.headers)).toBe(withoutDate(headers))
    }
  })
})

describe('the headers of the status page', () => {
  test.each(routes)('%s: no store, no frame, no other content', async target => {
    await using page = await startPage()
    const answer = await page.get(target, { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('x-content-type-options')).toBe('nosniff')
    expect(answer.header('x-frame-options')).toBe('DENY')
    expect(answer.header('referrer-policy')).toBe('no-referrer')
    const policy = answer.header('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  })
})

describe('/status', () => {
  test('tells what the broker does', async () => {
    await using page = await startPage(gated)
    for (let count = 0; count < 3; count++) expect((await page.check(bearer(page.dex))).status).toBe(200)
    expect((await page.check(bearer(page.dex, { aud: 'other' }))).status).toBe(401)
    const status = await page.status()
    expect(status).toMatchObject({
      problems: [],
      activity: { checks: { allow: 3, invalid_token: 1 }, jwtRefusals: { audience: 1 }, totalChecks: 4 },
      broker: { clients: [{ name: 'default', clientId: 'orders' }] },
    })
    expect(status.errors[0]).toMatchObject({ message: 'JWTs refused', reason: 'audience', count: 1 })
    expect(
      status.activity.durations.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
    ).toBe(4)
    expect(status.configuration).toContain('STATIC_CLIENT_SECRET=********')
  })

  test('names the cause when Dex refuses the client', async () => {
    await using page = await startPage(dex => ({ ...gated(dex), STATIC_CLIENT_SECRET: 'wrong-secret' }))
    expect((await page.check(bearer(page.dex))).status).toBe(502)
    const { problems } = await page.status()
    expect(problems[0]).toMatchObject({ kind: 'client-refused', severity: 'critical' })
    expect(problems[0].action).toContain('STATIC_CLIENT_SECRET')
  })

  test('names the cause when everybody is refused', async () => {
    await using page = await startPage(gated)
    for (let count = 0; count < 6; count++) await page.check(bearer(page.dex, { aud: 'other' }))
    const { problems } = await page.status()
    expect(problems).toMatchObject([{ kind: 'everybody-refused' }])
    expect(problems[0].action).toContain('JWT_AUDIENCE')
  })

  test("shows no id of callers' own clients", async () => {
    await using page = await startPage()
    await page.check({ headers: orders })
    for (const stranger of ['stranger-1', 'stranger-2']) {
      const headers = { 'x-client-id': stranger, 'x-client-secret': 'nonsense' }
      expect((await page.check({ headers })).status).toBe(401)
    }
    const texts = [(await page.get('/')).body, (await page.get('/status')).body].join('')
    expect(texts).toContain('token request failed')
    expect(texts).not.toContain('stranger')
    expect(texts).not.toContain('orders')
  })
})

describe('/status/events', () => {
  test('sends the state once a second, in one rendering for all', async () => {
    await using page = await startPage()
    using one = open(page.port, '/status/events')
    using other = open(page.port, '/status/events')
    const events = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data)
    await until(
      () => events(one.text()).length >= 2 && events(other.text()).length >= 2,
      'two events for each',
    )
    const [first = ''] = events(one.text())
    expect(events(other.text())).toContain(first)
    expect(JSON.parse(first).main).toContain('id="problems"')
  })

  test('has at most 16 readers, and room again when they are gone', async () => {
    await using page = await startPage()
    const readers = Array.from({ length: 16 }, () => open(page.port, '/status/events'))
    for (const reader of readers) expect(await reader.status()).toBe(200)
    expect(await page.get('/status/events')).toMatchObject({ status: 503 })
    expect(await page.get('/status/events', { method: 'HEAD' })).toMatchObject({ status: 503 })
    for (const reader of readers) reader[Symbol.dispose]()
    await until(async () => (await statusOf(page, '/status/events')) === 200, 'room')
    expect((await page.check({ headers: orders })).status).toBe(200)
  })

  test('a HEAD request takes no place', async () => {
    await using page = await startPage()
    for (let count = 0; count < 20; count++) {
      expect((await page.get('/status/events', { method: 'HEAD' })).status).toBe(200)
    }
    expect(await statusOf(page, '/status/events')).toBe(200)
  })

  test('ends with the process, and does not hold its stop up', async () => {
    const page = await startPage()
    using reader = open(page.port, '/status/events')
    expect(await reader.status()).toBe(200)
    // The open page is no check: nothing waits for SHUTDOWN_TIMEOUT, which is 4 s.
    expect(await within(page.server.close(), 'the stop', 2_000)).toBe(true)
    await reader.closed
    expect(reader.text()).toMatch(/0\r\n\r\n$/)
    await page[Symbol.asyncDispose]()
  })
})
