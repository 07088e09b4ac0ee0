import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AllowList } from '../../src/outbound/allow-list.ts'

const includes = (entry: string, url: string) => new AllowList([entry]).includes(new URL(url))

describe('an allowed origin', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com/anything?x#y', true],
    ['https://api.example.com/', 'https://API.EXAMPLE.COM:443/', true],
    ['https://api.example.com', 'https://api.example.com/a%2fb/%2e%2e', true],
    ['https://api.example.com', 'http://api.example.com/', false],
    ['https://api.example.com', 'https://api.example.com:8443/', false],
    ['https://api.example.com', 'https://api.example.com.evil.test/', false],
    ['https://api.example.com', 'https://api.example.com./', false],
    ['https://api.example.com', 'https://evil.test/https://api.example.com', false],
    ['https://api.example.com', 'https://user@api.example.com/', false],
    ['https://api.example.com', 'https://api.example.com@evil.test/', false],
    ['https://api.example.com', 'ws://api.example.com/', false],
    ['https://api.example.com', 'blob:https://api.example.com/1', false],
    ['http://[::1]:8080', 'http://[0:0:0:0:0:0:0:1]:8080/x', true],
  ])('%s, asked for %s: %s', (entry, url, expected) => {
    expect(includes(entry, url)).toBe(expected)
  })
})

describe('a path prefix', () => {
  test.each([
    ['/v1', '/v1', true],
    ['/v1', '/v1/', true],
    ['/v1', '/v1/orders?x=/../y', true],
    ['/v1', '/v1?x', true],
    ['/v1', '/v1x', false],
    ['/v1', '/V1/orders', false],
    ['/v1', '/', false],
    ['/v1', '/v2/v1/', false],
    ['/v1/', '/v1/orders', true],
    ['/v1/', '/v1', false],
    ['/v1', '/v1/../admin', false],
    ['/v1', '/v1/%2e%2e/admin', false],
    ['/v1', '/v1\\..\\admin', false],
    ['/v1', '/v1/a%2Fb', false],
    ['/v1', '/v1/..%2fadmin', false],
    ['/v1', '/v1/..%5Cadmin', false],
    ['/v1', '/v1/..%255cadmin', false],
    ['/v1', '/v1/%252e%252e/admin', false],
    ['/v1', '/v1/..;/admin', false],
    ['/v1', '/v1/%252e%252e;x/admin', false],
    ['/v1', '/v1/...', false],
    ['/v1', '/v1/%25%32%65%25%32%65/v2', false],
    ['/v1', '/v1/%%32%65%%32%65/v2', false],
    ['/v1', '/v1/..%25%32%66v2', false],
    ['/v1', '/v1/%c0%ae%c0%ae/v2', false],
    ['/v1', '/v1/..%c0%af/v2', false],
    ['/v1', '/v1/..%00/v2', false],
    ['/v1', '/v1/..%09/v2', false],
    ['/v1', '/v1/..%0a/v2', false],
    ['/v1', '/v1/..%20/v2', false],
    ['/v1', '/v1/%20..%c2%a0/v2', false],
    ['/v1', '/v1/.%e2%80%8b./v2', false],
    ['/v1', '/v1/%ef%bc%8e%ef%bc%8e/v2', false],
    ['/v1', '/v1/%e2%80%a5/v2', false],
    ['/v1', '/v1/%ef%bc%8f..', false],
    ['/v1', '/v1/%ef%bc%bc..', false],
    ['/v1', '/v1/%ef%bc%852e%ef%bc%852e/v2', false],
    ['/v1', '/v1/%u002e%u002e/v2', false],
    ['/v1', '/v1/x%c3', false],
    ['/v1', `/v1/%${'25'.repeat(20)}41`, false],
    ['/v1', '/v1/a..b/.well-known/x./..b', true],
    ['/v1', '/v1/100%25/%2541/a%20b%3Bc', true],
    ['/v1', '/v1/gr%C3%BC%C3%9Fe/%F0%9F%98%80/½', true],
  ])('%s, asked for %s: %s', (prefix, path, expected) => {
    expect(includes(`https://api.example.com${prefix}`, `https://api.example.com${path}`)).toBe(expected)
  })

  test.each(['/v1/../admin', '/other/../v1/x', '/v1/./x', '/v1\\..\\x'])(
    'a path that goes on the wire as %s is outside',
    path => {
      const list = new AllowList(['https://api.example.com/v1'])
      expect(list.includes(new URL('https://api.example.com/v1/x'), path)).toBe(false)
    },
  )
})

test.each([
  [[], 'allow must be'],
  [undefined, 'allow must be'],
  ['https://api.example.com', 'allow must be'],
  [[1], 'allow[0] must be an absolute URL'],
  [['https://a.test', 'api.example.com'], 'allow[1] must be an absolute URL'],
  [['*'], 'allow[0] must be an absolute URL'],
  [['ftp://a.test'], 'allow[0] must be an https or http URL'],
  [['https://u:p@a.test'], 'allow[0] must not contain user information'],
  [['https://a.test/?x=1'], 'allow[0] must not have a query'],
  [['https://a.test/#'], 'allow[0] must not have a query'],
  [['https://*.a.test'], 'allow[0] must be one exact origin'],
  [['https://a.test/v1/*'], 'allow[0] must be one exact origin'],
  [[' https://a.test'], 'allow[0] must be one exact origin'],
  [['https://a.test/v1/../v2'], 'allow[0] must not have dot segments'],
  [['https://a.test/v1/%2e%2E/'], 'allow[0] must not have dot segments'],
  [['https://a.test/a%2fb'], 'allow[0] must not have dot segments'],
  [['https://a.test\\v1'], 'allow[0] must not have dot segments'],
])('allow: %j is refused', (entries, message) => {
  expect(() => new AllowList(entries)).toThrow(TypeError)
  expect(() => new AllowList(entries)).toThrow(message)
})

describe('for any URL', () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'v1',
      'v1x',
      'V1',
      '...',
      '..%00',
      '..%20',
      '%09..',
      '%c0%ae%c0%ae',
      '%u002e%u002e',
      '%ef%bc%8e.',
      '%ef%bc%8f..',
      '%ef%bc%852e.',
      '%%32%65.',
      '%25%32%65%25%32%65',
      '.%c2%ad.',
      'gr%C3%BC%C3%9Fe',
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '%252e%252e',
      '..%2f',
      '%5c..',
      '..;',
      '',
      '\\',
    ),
    fc.webPath().map(path => path.replaceAll('/', '')),
  )
  const path = fc.array(segment, { maxLength: 6 }).map(segments => `/${segments.join('/')}`)
  const origin = fc.oneof(
    fc.constantFrom(
      'https://api.example.com',
      'https://api.example.com:443',
      'https://api.example.com:444',
      'http://api.example.com',
      'https://api.example.com.evil.test',
      'https://x@api.example.com',
      'https://api.example.com@evil.test',
      'https://API.example.com',
      'https:\\\\api.example.com',
      'https:/api.example.com',
    ),
    fc.webUrl().map(url => new URL(url).origin),
  )
  const list = new AllowList(['https://api.example.com/v1'])

  /** How servers have been seen to decode: standards, the bytes of %u, Latin-1, overlong UTF-8. */
  const decodings: readonly ((text: string) => string)[] = [
    text => text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    text => text.replace(/%u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    text => text.replace(/%c0%(ae|af)/gi, (_, hex) => (hex.toLowerCase() === 'ae' ? '.' : '/')),
    text =>
      text.replace(/(?:%[0-9a-f]{2})+/gi, bytes => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString()),
    text => text.normalize('NFKC'),
    text => text.replace(/[\p{Cc}\p{Cf}\s]/gu, ''),
    text => text.replaceAll('\\', '/').replace(/[;?#][^/]*/g, ''),
    text => text.replace(/(^|\/)\.{3,}(?=\/|$)/g, '$1..'),
  ]

  /** What the strictest and the sloppiest server could take the path for. */
  const readings = (pathname: string) => {
    const found = new Set([pathname])
    for (const reading of found) {
      for (const decode of decodings) if (found.size < 500) found.add(decode(reading))
    }
    return [...found].map(reading => resolved(reading))
  }

  function resolved(reading: string): string {
    const path: string[] = []
    for (const part of reading.split('/').slice(1)) {
      if (part === '..') path.pop()
      else if (part !== '.') path.push(part)
    }
    return `/${path.join('/')}`
  }

  test('nothing but the origin and the prefix is inside, whoever reads the path', () => {
    fc.assert(
      fc.property(origin, path, (base, rest) => {
        const url = URL.parse(base + rest)
        fc.pre(url !== null)
        if (!list.includes(url)) return
        expect(url.origin).toBe('https://api.example.com')
        expect(url.username).toBe('')
        for (const reading of readings(url.pathname)) expect(`${reading}/`).toMatch(/^\/v1\//)
      }),
      { numRuns: 5000 },
    )
  })

  test('plain paths under the prefix are inside', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z0-9_~-]{1,8}$/), { maxLength: 5 }), segments => {
        expect(list.includes(new URL(['https://api.example.com/v1', ...segments].join('/')))).toBe(true)
      }),
    )
  })
})
