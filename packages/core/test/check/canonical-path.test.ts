import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalPath } from '../../src/check/canonical-path.ts'

describe('the canonical path', () => {
  test.each([
    ['/', '/'],
    ['/orders/17', '/orders/17'],
    ['/orders/', '/orders/'],
    ['/a.b/.well-known/x./..b/a..', '/a.b/.well-known/x./..b/a..'],
    ['/%61%62%2D%2e%5F%7e', '/ab-._~'],
    ["/%21%24%26%27%28%29%2A%2B%2C%3D%3A%40!$&'()*+,=:@", "/!$&'()*+,=:@!$&'()*+,=:@"],
    ['/gr%c3%bc%C3%9fe', '/gr%C3%BC%C3%9Fe'],
    ['/%f0%9f%98%80', '/%F0%9F%98%80'],
    ['/a%20b', '/a%20b'],
    ['/a"<>[]^`{|}', '/a%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ['/a%22%3c%3e%5b%5d%5e%60%7b%7c%7d', '/a%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ['/a%3fb%23c', '/a%3Fb%23c'],
    ['/100%25', '/100%25'],
    ['/100%25/41', '/100%25/41'],
    ['/100%25x41', '/100%25x41'],
  ])('of %s is %s', (path, expected) => {
    expect(canonicalPath(path)).toBe(expected)
    expect(canonicalPath(expected)).toBe(expected)
  })

  test.each([
    '',
    '*',
    'orders',
    'http://backend.test/orders',
    '/.',
    '/..',
    '/...',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/a/%2e%2E/b',
    '/a/.%2e',
    '/a/%2e/b',
    '/a/..%20/b',
    '//',
    '//evil.test/a',
    '/a//b',
    '/a//',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%00',
    '/a%0ab',
    '/a%7f',
    '/a%c2%85',
    '/a\tb',
    '/a\u0000',
    '/a ',
    '/a b',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%c3',
    '/a%c3x%bc',
    '/a%c0%ae',
    '/a%ed%a0%80',
    '/a;v=1',
    '/a%3bv=1',
    '/..;/a',
    '/a#b',
    '/a?b',
    '/gr\u00fc\u00dfe',
    '/a%2541',
    '/a%252e%252e/b',
    '/a%25%34%31',
    '/%2%35',
    '/a%u0041',
    '/a%25u0041',
    '/%ef%bc%8e%ef%bc%8e/a',
    '/a%e2%84%80b',
  ])('does not exist for %s', path => {
    expect(canonicalPath(path)).toBeUndefined()
  })
})

/** A way to read a path: `resource` as a backend finds it, `reading` without resolving anything. */
interface Backend {
  resource(path: string): string
  reading(canonical: string): string
}

/** Bytes that are not UTF-8 stay visible, so that two of them are not the same. */
function decodedOnce(path: string): string {
  const bytes = path.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return bytes.replace(/[\u0100-\uffff]/g, character => Buffer.from(character).toString('latin1'))
}

function decodedFully(path: string): string {
  for (let text = path; ; ) {
    const next = decodedOnce(text)
    if (next === text) return text
    text = next
  }
}

const backends: Readonly<Record<string, Backend>> = {
  'decodes once, then resolves dot segments and merges slashes': {
    resource: path => posix.normalize(decodedOnce(path)),
    reading: decodedOnce,
  },
  'parses a URL': {
    resource: path => {
      const url = URL.parse(path, 'http://backend.test')
      return url === null ? path : decodedOnce(url.host === 'backend.test' ? url.pathname : url.href)
    },
    reading: decodedOnce,
  },
  'decodes until nothing changes, cuts parameters off, merges slashes and resolves dot segments': {
    resource: path => posix.normalize(decodedFully(path).replace(/;[^/]*/g, '')),
    reading: decodedFully,
  },
}

const hexOf = (character: string) =>
  Array.from(Buffer.from(character), byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** A character in one of its spellings: as it is, escaped in either case, or escaped twice. */
const spelled = (characters: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...characters), fc.nat({ max: 9 }))
    .map(([character, way]) =>
      way < 6
        ? character
        : way < 8
          ? hexOf(character)
          : way < 9
            ? hexOf(character).toUpperCase()
            : hexOf(character).replaceAll('%', '%25'),
    )

const piece = fc.oneof(
  { weight: 8, arbitrary: spelled(['a', 'b', '4', '1', '-', '~', '+', ':', '@', '!', ',', '=']) },
  { weight: 4, arbitrary: fc.constant('/') },
  { weight: 2, arbitrary: spelled(['.', '..', '/', '//', '\\', ';', ';v=1', '?', '#', '%', ' ', '|', '^']) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('%2e', '%41', '%25', '%', '%c3%bc', '%C3', '\u00fc', '\t', '%00', '/./'),
  },
)
const rawPath = fc.array(piece, { maxLength: 8 }).map(pieces => `/${pieces.join('')}`)
/** The same pieces in two spellings: pairs that backends read alike. */
const pair = fc
  .array(
    fc.tuple(fc.constantFrom('a', '4', '1', '.', '+', ':', '%', '/', '|', ';', ' '), fc.nat(), fc.nat()),
    {
      maxLength: 4,
    },
  )
  .map(pieces =>
    [1, 2].map(index => {
      const texts = pieces.map(piece => {
        const [character, way] = [piece[0], (piece[index] as number) % 6]
        const escaped = hexOf(character)
        if (character === '/') return way === 5 ? '//' : way === 4 ? '/./' : '/'
        if (character === ';') return way > 3 ? ';v' : ''
        return [character, character, character, escaped, escaped.toUpperCase(), escaped.replace('%', '%25')][
          way
        ]
      })
      return `/${texts.join('')}`
    }),
  ) as fc.Arbitrary<[string, string]>

/** What contradicts the promise of a canonical form; `undefined` when chance finds nothing. */
function contradiction(
  canonical: (path: string) => string | undefined,
  numRuns: number,
  seed?: number,
): string | undefined {
  const details = fc.check(
    fc.property(fc.oneof(fc.tuple(rawPath, rawPath), pair), paths => {
      const clear = paths.flatMap(path => {
        const spelling = canonical(path)
        return spelling === undefined ? [] : [{ path, spelling }]
      })
      for (const [name, backend] of Object.entries(backends)) {
        for (const { path, spelling } of clear) {
          if (backend.resource(path) !== backend.reading(spelling))
            throw new Error(`a backend that ${name} reads ${path} as ${backend.resource(path)}`)
        }
        const [one, other] = clear
        if (one === undefined || other === undefined || one.spelling === other.spelling) continue
        if (backend.resource(one.path) === backend.resource(other.path))
          throw new Error(`a backend that ${name} reads ${one.path} and ${other.path} alike`)
      }
    }),
    { numRuns, ...(seed !== undefined && { seed }) },
  )
  return details.failed ? String((details.errorInstance as Error).message) : undefined
}

test('every backend reads a clear path as its canonical form says, and one resource has one form', () => {
  let clear = 0
  const counting = (path: string) => {
    const spelling = canonicalPath(path)
    if (spelling !== undefined && spelling !== path) clear++
    return spelling
  }
  expect(contradiction(counting, 100_000)).toBeUndefined()
  // The property says nothing about paths that are refused or stay as they are.
  expect(clear).toBeGreaterThan(5_000)
})

/** A canonical form without any refusal. */
const naive = (path: string) =>
  path.replace(/%[\da-f]{2}|[^\w\-.~!$&'()*+,;=:@/%]/gi, text => {
    const character = text.length === 3 ? decodedOnce(text) : text
    return /[\w\-.~!$&'()*+,;=:@]/.test(character)
      ? character
      : text.length === 3
        ? text.toUpperCase()
        : encodeURIComponent(text)
  })

/** A form that does not refuse what matches a pattern. */
const lenientTo = (pattern: RegExp) => (path: string) =>
  canonicalPath(path) ?? (canonicalPath(path.replace(pattern, 'x')) === undefined ? undefined : naive(path))

describe('the property finds a form that', () => {
  test.each<[string, (path: string) => string | undefined]>([
    ['refuses nothing', naive],
    ['accepts parameters', lenientTo(/;|%3b/gi)],
    ['accepts empty segments', lenientTo(/\/(?=\/)/g)],
    ['accepts dot segments', lenientTo(/(?<=\/)\.\.?(?=\/|$)/g)],
    ['accepts escaped dot segments', lenientTo(/(?<=\/)(?:%2e){1,2}(?=\/|$)/gi)],
    ['accepts escaped slashes', lenientTo(/%2f/gi)],
    ['accepts backslashes', lenientTo(/\\/g)],
    ['accepts a fragment', lenientTo(/#/g)],
    ['accepts blanks', lenientTo(/ /g)],
    ['accepts tabs', lenientTo(/\t/g)],
    ['accepts escapes of escapes', lenientTo(/%25(?=[\da-f]{2})/gi)],
    ['accepts escapes of escaped digits', lenientTo(/%25(?=%3)/gi)],
    ['keeps every path as it is', path => canonicalPath(path) && path],
    [
      'leaves hexadecimal digits as they are',
      path =>
        canonicalPath(path)?.replace(/%../g, found => (path.includes(found) ? found : found.toLowerCase())),
    ],
    [
      'decodes unreserved characters only',
      path =>
        canonicalPath(path) &&
        path.replace(/%[\da-f]{2}/gi, text =>
          /[\w\-.~]/.test(decodedOnce(text)) ? decodedOnce(text) : text.toUpperCase(),
        ),
    ],
    [
      'leaves foreign characters as they are',
      path => canonicalPath(path)?.replace(/%7C/g, found => (path.includes('|') ? '|' : found)),
    ],
  ])('%s', (_fault, form) => {
    expect(contradiction(form, 100_000, 17)).toBeTypeOf('string')
  })
})
