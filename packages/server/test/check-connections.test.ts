import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { TokenBroker } from '@broker/core'
import { RawConnection, requestText, until, within } from '@broker/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCheckApp } from '../src/http/check-app.ts'
import { createCheckListener } from '../src/http/check-listener.ts'
import { listenerOptions } from '../src/http/listener-options.ts'
import {
  type BrokerUnderTest,
  bearerOf,
  errorOf,
  orders,
  startBroker,
  startDex,
} from './support/start-broker.ts'

let broker: BrokerUnderTest
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker[Symbol.asyncDispose]())

/** A check with good credentials, up to where the body begins. */
function headOfCheck(headers: Readonly<Record<string, string>>): string {
  return requestText({ method: 'POST', headers: { ...orders, ...headers } })
}

const block = Buffer.alloc(64 * 1024, 'x')

async function answersTheNextCheck(): Promise<void> {
  bearerOf(await broker.check({ headers: orders }))
}

/** The check listener alone, with other time-outs. */
async function startListener(options: Partial<typeof listenerOptions>) {
  const dex = await startDex()
  const tokens = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint })
  const listener = createCheckListener(createCheckApp(tokens), { ...listenerOptions, ...options })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      listener.close()
      listener.closeAllConnections()
      await tokens.close()
      await dex.close()
    },
  }
}

describe('a body', () => {
  test.each([
    ['of a few bytes', 10],
    ['of 1 MiB', 1024 * 1024],
  ])('%s is read and forgotten, and the connection lives on', async (_, size) => {
    await using connection = await RawConnection.open(broker.port)
    for (const method of ['POST', 'GET', 'PUT']) {
      connection.send({ method, headers: orders, body: 'x'.repeat(size) })
      bearerOf(await connection.answer())
    }
  })

  test('in chunks is read and forgotten, trailers that look like credentials too', async () => {
    await using connection = await RawConnection.open(broker.port)
    const chunks = 'a\r\n0123456789\r\n1;extension=x\r\n!\r\n0\r\n'
    connection.write(`${headOfCheck({ 'Transfer-Encoding': 'chunked' })}${chunks}\r\n`)
    bearerOf(await connection.answer())
    const bare = requestText({ method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } })
    connection.write(`${bare}${chunks}x-client-id: orders\r\nx-client-secret: orders-secret\r\n\r\n`)
    expect(errorOf(await connection.answer())).toBe('missing_credentials')
  })

  test('of 100 MB is not kept', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(headOfCheck({ 'Content-Length': String(1600 * block.length) }))
    bearerOf(await connection.answer())
    const before = process.memoryUsage().rss
    for (let sent = 0; sent < 1600 && !connection.ended; sent++) {
      if (!connection.write(block)) await connection.takesMore()
    }
    // The client's own buffers are in there too.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
    await answersTheNextCheck()
  })

  test('without an end is cut off soon after the answer', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(headOfCheck({ 'Transfer-Encoding': 'chunked' }))
    bearerOf(await connection.answer())
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])
    await until(() => {
      connection.write(chunk)
      return connection.ended
    }, 'the end of the connection')
    await answersTheNextCheck()
  })

  test('is not read while its check waits', async () => {
    await using own = await startBroker()
    own.dex.setFault('token', { kind: 'slow', delayMs: 400 })
    await using connection = await RawConnection.open(own.port)
    connection.write(headOfCheck({ 'Transfer-Encoding': 'chunked' }))
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])
    await until(() => {
      while (connection.write(chunk)) {}
      return own.dex.counts.tokensIssued === 1
    }, 'the token')
    expect(connection.bytesWritten).toBeLessThan(32 * 1024 * 1024)
    bearerOf(await connection.answer())
  })

  test('that comes slowly delays no answer, and one that never comes holds no connection', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(headOfCheck({ 'Content-Length': '100' }))
    bearerOf(await connection.answer())
    connection.write('x')
    await connection.closed()
  })

  test('with a bad chunk cuts the connection and nothing else', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(`${headOfCheck({ 'Transfer-Encoding': 'chunked' })}zz\r\nx\r\n`)
    await connection.closed()
    await answersTheNextCheck()
  })

  test('that is announced with Expect: 100-continue is not waited for', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(headOfCheck({ 'Content-Length': '4', Expect: '100-continue' }))
    expect((await connection.answer()).status).toBe(100)
    connection.write('body')
    bearerOf(await connection.answer())
  })

  test.each([
    { 'Content-Length': '4', 'Transfer-Encoding': 'chunked' },
    { 'Content-Length': '-1' },
    { 'Content-Length': '4, 5' },
    { 'Transfer-Encoding': 'chunked, identity' },
    { 'Transfer-Encoding': 'xchunked' },
  ])('whose framing is doubtful is 400: %o', async headers => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(`${headOfCheck(headers)}0\r\n\r\n`)
    expect((await connection.answer()).status).toBe(400)
    await connection.closed()
  })
})

describe('headers', () => {
  test('of 60 KiB are accepted, as Envoy accepts them', async () => {
    bearerOf(await broker.check({ headers: { ...orders, cookie: 'x'.repeat(60 * 1024) } }))
    bearerOf(await broker.check({ target: `/check/${'x'.repeat(60 * 1024)}`, headers: orders }))
  })

  test('of 200 KB are 431, and the connection ends', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.send({ headers: { ...orders, cookie: 'x'.repeat(200_000) } })
    expect((await connection.answer()).status).toBe(431)
    await connection.closed()
    await answersTheNextCheck()
  })

  test('in thousands hide no repeated credential', async () => {
    const others = Array.from({ length: 2_500 }, (_, index) => [`x-${index}`, 'y'] as const)
    const lines = [...Object.entries(orders), ...others]
    bearerOf(await broker.check({ headers: lines }))
    const refused = await broker.check({ headers: [...lines, ['x-client-id', 'billing']] })
    expect(errorOf(refused)).toBe('invalid_request')
  })

  test.each(['x-client-id', 'x-client-secret', 'x-scope'])('%s on two lines is 400', async name => {
    const credentials = Object.entries({ ...orders, 'x-scope': 'openid' })
    for (const [other, value] of [
      [name, 'other'],
      [name.toUpperCase(), credentials.find(([first]) => first === name)?.[1] ?? ''],
      [name, ''],
    ] as const) {
      const refused = await broker.check({ headers: [...credentials, [other, value]] })
      expect([refused.status, errorOf(refused)]).toEqual([400, 'invalid_request'])
    }
  })

  test.each(['\t', '\x80', '\xe9', '\xff', '\u00a0'])(
    'a credential with %j in it is 400',
    async character => {
      for (const [name, value] of Object.entries({ ...orders, 'x-scope': 'openid' })) {
        const headers = { ...orders, 'x-scope': 'openid', [name]: `${value}${character}${value}` }
        const refused = await broker.check({ headers })
        expect([refused.status, errorOf(refused)]).toEqual([400, 'invalid_request'])
      }
    },
  )

  test.each(['\0', '\r', '\n', '\x01', '\x1b', '\x7f'])('a control character %j is 400', async character => {
    await using connection = await RawConnection.open(broker.port)
    connection.send({ headers: { ...orders, 'x-client-secret': `orders${character}-secret` } })
    expect((await connection.answer()).status).toBe(400)
  })

  test.each([
    ['x-client-id', 256],
    ['x-client-secret', 4096],
    ['x-scope', 1024],
  ])('%s may have %i characters and not one more', async (name, limit) => {
    const credentials = { ...orders, 'x-scope': 'openid' }
    const longest = await broker.check({ headers: { ...credentials, [name]: 'x'.repeat(limit) } })
    expect(errorOf(longest)).toBe('token_request_rejected')
    const longer = await broker.check({ headers: { ...credentials, [name]: 'x'.repeat(limit + 1) } })
    expect([longer.status, errorOf(longer)]).toEqual([400, 'invalid_request'])
  })

  test('folded over two lines are 400', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.write('GET /check HTTP/1.1\r\nHost: x\r\nx-client-id: orders\r\n  billing\r\n\r\n')
    expect((await connection.answer()).status).toBe(400)
  })

  test('sent byte by byte are cut after the time for headers, and bytes do not buy more of it', async () => {
    expect(listenerOptions.headersTimeout).toBe(10_000)
    await using listener = await startListener({ headersTimeout: 300, connectionsCheckingInterval: 50 })
    await using connection = await RawConnection.open(listener.port)
    for (const character of requestText({ headers: { ...orders, 'x-filler': 'x'.repeat(1_000) } })) {
      if (connection.ended) break
      connection.write(character)
      // real time: the pace of a client that takes more than five seconds for its headers
      await delay(5)
    }
    expect(connection.ended).toBe(true)
    expect(connection.rest).not.toContain(' 200 ')
  })

  test('that never come hold no connection', async () => {
    await using listener = await startListener({ headersTimeout: 200, connectionsCheckingInterval: 50 })
    await using connection = await RawConnection.open(listener.port)
    await connection.closed(2_000)
  })
})

describe('a connection', () => {
  test.each([
    'garbage\r\n\r\n',
    'GET /check HTTP/9.9\r\n\r\n',
    'get /check HTTP/1.1\r\nHost: x\r\n\r\n',
    'FETCH /check HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /check HTTP/1.1\r\nHost x\r\n\r\n',
    'GET /check HTTP/1.1\r\nx-client-id : orders\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    '\0'.repeat(1_000),
  ])('with garbage on it is answered 400 and ended: %j', async bytes => {
    await using connection = await RawConnection.open(broker.port)
    connection.write(bytes)
    expect((await connection.answer()).status).toBe(400)
    await connection.closed()
    await answersTheNextCheck()
  })

  test.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['CONNECT', 'CONNECT backend.example:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('that was refused for %s is not held by a client that does not close', async (_, bytes) => {
    await using own = await startBroker()
    await using connection = await RawConnection.open(own.port)
    connection.write(bytes)
    await connection.answer()
    await connection.closed()
    // Written to a connection that is gone, this is answered with a reset.
    await until(() => !connection.write('more'), 'the end of the other half', 5_000)
  })

  test('carries pipelined requests, answered in order', async () => {
    await using connection = await RawConnection.open(broker.port)
    const requests = [{ headers: orders }, {}, { target: '/healthz' }, { target: '/x' }, { headers: orders }]
    connection.write(requests.map(requestText).join(''))
    const statuses: number[] = []
    for (const _ of requests) statuses.push((await connection.answer()).status)
    expect(statuses).toEqual([200, 401, 200, 404, 200])
  })

  // That it really outlives a pause is seen behind Envoy: connections.test.ts in e2e.
  test('is kept for 75 s, and says so: Node by itself would close it after 5', async () => {
    await using kept = await RawConnection.open(broker.port)
    kept.send({ headers: orders })
    const first = await kept.answer()
    expect(first.header('connection')).toBe('keep-alive')
    expect(first.header('keep-alive')).toBe('timeout=75')
    // The same listener with a shorter time says and does the same.
    await using listener = await startListener({ keepAliveTimeout: 1_000 })
    await using other = await RawConnection.open(listener.port)
    other.send({})
    expect((await other.answer()).header('keep-alive')).toBe('timeout=1')
    await other.closed()
    kept.send({ headers: orders })
    expect(bearerOf(await kept.answer())).toBe(bearerOf(first))
  })

  test('ends when the client asks for it', async () => {
    await using connection = await RawConnection.open(broker.port)
    connection.send({ headers: { ...orders, Connection: 'close' } })
    bearerOf(await connection.answer())
    await connection.closed()
  })

  test('that a client cuts at any moment harms nobody else', async () => {
    const request = requestText({ method: 'POST', headers: orders, body: 'some body' })
    await fc.assert(
      fc.asyncProperty(fc.nat(request.length), fc.boolean(), async (length, resets) => {
        const connection = await RawConnection.open(broker.port)
        connection.write(request.slice(0, length))
        if (resets) connection.reset()
        await connection[Symbol.asyncDispose]()
        await answersTheNextCheck()
      }),
      { numRuns: 100 },
    )
  })

  test('that is cut while its check waits leaves the token for the next one', async () => {
    await using own = await startBroker()
    own.dex.setFault('token', { kind: 'slow', delayMs: 150 })
    const connection = await RawConnection.open(own.port)
    connection.send({ headers: orders })
    await until(() => own.dex.counts.tokenRequests === 1, 'the token request')
    connection.reset()
    await connection[Symbol.asyncDispose]()
    bearerOf(await own.check({ headers: orders }))
    bearerOf(await own.check({ headers: orders }))
    expect(own.dex.counts.tokenRequests).toBe(1)
    expect(own.log.filter(({ level }) => level >= 40)).toEqual([])
  })

  test('among hundreds that arrive at the same time shares one token request', async () => {
    await using own = await startBroker()
    own.dex.setFault('token', { kind: 'slow', delayMs: 200 })
    const answers = await within(
      Promise.all(Array.from({ length: 200 }, () => own.check({ headers: orders }))),
      '200 answers',
      10_000,
    )
    expect(new Set(answers.map(answer => bearerOf(answer))).size).toBe(1)
    expect(own.dex.counts.tokenRequests).toBe(1)
  })
})
