import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { type Fault, startDevDex } from '@broker/dev-dex'
import fc from 'fast-check'
import { Agent } from 'undici'
import { describe, expect, test } from 'vitest'
import { decodeContent } from '../../src/shared/http/decode-content.ts'
import type { Transport } from '../../src/shared/http/transport.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { undiciTransport } from '../../src/undici/undici-transport.ts'
import { failureOf, orders } from '../broker-with-dex.ts'

const encoders: Readonly<Record<string, (text: string | Buffer) => Buffer>> = {
  gzip: gzipSync,
  'X-GZIP': gzipSync,
  deflate: deflateSync,
  ' deflate': deflateRawSync,
  br: text => brotliCompressSync(text),
}
const codings = Object.keys(encoders)
const encoded = (coding: string, text: string | Buffer) => encoders[coding]?.(text) as Buffer

/** A token endpoint whose answers have this content coding, and brokers that ask it in different ways. */
async function startEndpoint(coding: string, body: Buffer, status = 200) {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': coding.trim() })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const tokenEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  const agent = new Agent()
  const transports: Readonly<Record<string, Transport>> = {
    fetch: globalThis.fetch as Transport,
    undici: undiciTransport(agent),
    // Hands on what `fetch` has decoded, and the headers that do not say so.
    'a wrapper of fetch': async (url, request) => {
      const { status, headers, body } = await fetch(url, request)
      return { status, headers, body: body as AsyncIterable<Uint8Array> | null }
    },
  }
  return {
    broker: (transport: string, options = {}) =>
      new TokenBroker({ tokenEndpoint, client: orders, transport: transports[transport], ...options }),
    async [Symbol.asyncDispose]() {
      await agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const transports = ['fetch', 'undici', 'a wrapper of fetch']
const answer = JSON.stringify({ access_token: 'tok', token_type: 'bearer', expires_in: 60 })

describe('an answer with a content coding', () => {
  for (const transport of transports) {
    test.each(codings)(`by ${transport} is understood: %s`, async coding => {
      await using endpoint = await startEndpoint(coding, encoded(coding, answer))
      await using broker = endpoint.broker(transport)
      expect((await broker.getToken()).accessToken).toBe('tok')
    })

    test.each(codings)(`by ${transport} that is larger than it looks is cut off: %s`, async coding => {
      const bomb = encoded(coding, `{"access_token":"${'a'.repeat(8 * 1024 * 1024)}"}`)
      expect(bomb.length).toBeLessThan(64 * 1024)
      await using endpoint = await startEndpoint(coding, bomb)
      await using broker = endpoint.broker(transport)
      const failure = await failureOf(broker.getToken())
      expect([failure.code, failure.message]).toEqual([
        'invalid_token_response',
        'the token response is too large',
      ])
    })
  }

  test('that holds more before it is decoded than a token response may is cut off, however little it decodes to', async () => {
    // Flushes: each of them is a few bytes that decode to nothing.
    const nothing = gzipSync('', { finishFlush: constants.Z_SYNC_FLUSH })
    const padded = Buffer.concat([nothing, Buffer.alloc(70 * 1024, Buffer.from([0, 0, 0, 0xff, 0xff]))])
    await using endpoint = await startEndpoint('gzip', padded)
    await using broker = endpoint.broker('undici')
    expect((await failureOf(broker.getToken())).message).toBe('the token response is too large')
  })

  test.each(['fetch', 'undici'])('that is broken, by %s, is no token and no crash', async transport => {
    await using endpoint = await startEndpoint('gzip', gzipSync(answer).subarray(0, 30))
    await using broker = endpoint.broker(transport)
    expect((await failureOf(broker.getToken())).status).toBeGreaterThanOrEqual(502)
  })

  test('is understood in the discovery document and the key set, too', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients: [] })
    const compressed: Fault = {
      kind: 'rewrite',
      rewrite: ({ status, body }) => ({
        status,
        headers: { 'Content-Encoding': 'gzip' },
        body: gzipSync(body),
      }),
    }
    dex.setFault('discovery', compressed)
    dex.setFault('keys', compressed)
    const agent = new Agent()
    const transport = undiciTransport(agent)
    await using broker = new TokenBroker({ issuer: dex.issuer, gate: {}, transport })
    const jwt = dex.signJwt({ iss: dex.issuer, exp: Date.now() / 1000 + 60 })
    expect(await broker.verify(jwt)).toMatchObject({ claims: { iss: dex.issuer } })
    await agent.destroy()
  })
})

test.each(['zstd', 'gzip, br', 'compress'])(
  'a coding that nobody here can undo is named, wherever it comes: %s',
  async coding => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients: [] })
    const fault: Fault = { kind: 'answer', headers: { 'Content-Encoding': coding }, body: '(\u00b5/\u00fd' }
    const agent = new Agent()
    const transport = undiciTransport(agent)
    const hintOf = async (broken: 'token' | 'keys' | 'discovery') => {
      dex.clearFaults()
      dex.setFault(broken, fault)
      await using broker = new TokenBroker({ issuer: dex.issuer, client: orders, gate: {}, transport })
      const jwt = dex.signJwt({ iss: dex.issuer, exp: Date.now() / 1000 + 60 })
      return (await failureOf(broken === 'token' ? broker.getToken() : broker.verify(jwt))).hint
    }
    const detail = coding.replace(' ', '')
    for (const broken of ['token', 'keys', 'discovery'] as const)
      expect(await hintOf(broken)).toMatchObject({ problem: 'encoded', detail })
    await agent.destroy()
  },
)

describe('decoding', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 8 })

  test('gives back every JSON object, in every coding, and leaves one alone that is decoded already', async () => {
    await fc.assert(
      fc.asyncProperty(object, fc.constantFrom(...codings), async (value, coding) => {
        const text = Buffer.from(JSON.stringify(value))
        expect(await decodeContent(encoded(coding, text), coding, 1e6)).toEqual(text)
        expect(await decodeContent(text, coding, 1e6)).toEqual(text)
      }),
    )
  })

  test('rejects only what ends too early, and never gives more than the bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.option(fc.constantFrom(...codings, 'zstd', 'identity', '', 'gzip, br'), { nil: null }),
        async (bytes, coding) => {
          const decoded = await decodeContent(Buffer.from(bytes), coding, 400).catch(({ code }) => {
            expect(code).toBe('Z_BUF_ERROR')
            return undefined
          })
          expect(decoded?.length ?? 0).toBeLessThanOrEqual(400)
        },
      ),
    )
  })

  test.each(['gzip', 'deflate', 'br'])('rejects %s that ends too early', async coding => {
    const whole = encoded(coding, '{"access_token":"tok"}')
    await expect(decodeContent(whole.subarray(0, -1), coding, 400)).rejects.toMatchObject({
      code: 'Z_BUF_ERROR',
    })
  })

  test.each(['gzip', 'deflate', 'br'])('leaves a text alone that is said to be %s', async coding => {
    for (const text of ['[]', 'RBAC: access denied', '<html>\r\n\tblocked</html>', 'a\u00e9'])
      expect((await decodeContent(Buffer.from(text), coding, 400))?.toString()).toBe(text)
  })

  test('decodes a raw deflate stream that begins with a brace', async () => {
    // The byte order mark makes it so.
    const raw = deflateRawSync(
      '\uFEFF{"access_token":"eyJh.eyJz.c2ln","token_type":"bearer","expires_in":3600}',
    )
    expect(raw[0]).toBe(0x7b)
    expect((await decodeContent(raw, 'deflate', 400))?.toString()).toContain('access_token')
  })
})
