import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { basicCredentials } from '../../src/check/basic-credentials.ts'
import { tokenRequest } from '../../src/tokens/dex/token-request.ts'

const base64 = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('base64')
const basic = (text: string, encoding?: BufferEncoding) => `Basic ${base64(text, encoding)}`

/** The header with which the broker itself authenticates at Dex. */
function sentToDex(clientId: string, clientSecret: string): string {
  const { headers } = tokenRequest(
    { clientId, clientSecret, scope: '', configured: false },
    {
      authMethod: 'client_secret_basic',
      userAgent: 'test',
      signal: AbortSignal.abort(),
      trace: {},
      maxBodyBytes: 0,
    },
  )
  return headers['authorization'] ?? ''
}

const text = fc.string({ unit: 'binary', maxLength: 40 }).filter(value => !/\p{Cc}/u.test(value))

describe('Basic credentials', () => {
  test('of any Unicode without control characters come back as they were encoded', () => {
    fc.assert(
      fc.property(text, text, (clientId, clientSecret) => {
        expect(basicCredentials(sentToDex(clientId, clientSecret))).toEqual({ clientId, clientSecret })
        const escaped = basic(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)
        expect(basicCredentials(escaped)).toEqual({ clientId, clientSecret })
      }),
      { numRuns: 1_000 },
    )
  })

  test('of any bytes are credentials or a malformed request, and nothing of them is in the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        const encoded = Buffer.from(bytes).toString('base64')
        try {
          const { clientId = '', clientSecret = '' } = basicCredentials(`Basic ${encoded}`) ?? {}
          expect(`${clientId}${clientSecret}`).not.toMatch(/\p{Cc}/u)
          expect(`${clientId}${clientSecret}`.isWellFormed()).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({
            code: 'invalid_request',
            message: expect.stringMatching(
              /^the Basic credentials in authorization (are not valid base64|are not valid UTF-8|have no colon|are not form-encoded|have control characters)$/,
            ),
          })
          expect(error).not.toHaveProperty('cause')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('have at most one spelling in base64: any change of it means other credentials or none', () => {
    const character = fc.constantFrom(...'ABYZabyz0189+/=-_ \n,')
    fc.assert(
      fc.property(text, text, fc.nat(), character, (clientId, clientSecret, position, other) => {
        const header = sentToDex(clientId, clientSecret)
        const at = 'Basic '.length + (position % (header.length - 'Basic '.length))
        const changed = header.slice(0, at) + other + header.slice(at + 1)
        // Blanks around a value are not part of it.
        fc.pre(header[at] !== other && changed === changed.trim() && changed[6] !== ' ')
        try {
          const found = basicCredentials(changed)
          // A character of an escape may change its case, which means the same.
          const spelling = Buffer.from(changed.slice('Basic '.length), 'base64').toString()
          const before = Buffer.from(header.slice('Basic '.length), 'base64').toString()
          expect(spelling).not.toBe(before)
          expect(found).toBeDefined()
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' })
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['Basic', basic('a:b')],
    ['basic', `basic ${base64('a:b')}`],
    ['BASIC', `BASIC ${base64('a:b')}`],
    ['more blanks', `Basic   ${base64('a:b')} `],
  ])('have the scheme in any case: %s', (_, value) => {
    expect(basicCredentials(value)).toEqual({ clientId: 'a', clientSecret: 'b' })
  })

  test.each(['', ' ', 'Bearer a.b.c', 'Basically YTpi', 'YTpi', 'Basic,YTpi', 'Digest username="a"'])(
    'are not in %j',
    value => {
      expect(basicCredentials(value)).toBeUndefined()
    },
  )

  test.each<[string, string, string, string]>([
    ['a colon in the secret', basic('a:b:c'), 'a', 'b:c'],
    ['an encoded colon in the id', basic('a%3Ab:c'), 'a:b', 'c'],
    ['plus and %20', basic('a+b:c%20d'), 'a b', 'c d'],
    ['an encoded plus', basic('a%2Bb:%2b'), 'a+b', '+'],
    ['an encoded percent', basic('a:%2541'), 'a', '%41'],
    ['UTF-8 without form encoding', basic('ü:ß'), 'ü', 'ß'],
    ['a byte order mark', basic('\ufeffa:b'), '\ufeffa', 'b'],
    ['an empty id', basic(':b'), '', 'b'],
    ['an empty secret', basic('a:'), 'a', ''],
    ['nothing but a colon', basic(':'), '', ''],
  ])('may have %s', (_, value, clientId, clientSecret) => {
    expect(basicCredentials(value)).toEqual({ clientId, clientSecret })
  })

  test.each<[string, string, RegExp]>([
    ['nothing after the scheme', 'Basic', /base64/],
    ['no padding', 'Basic YTpiYg', /base64/],
    ['too much padding', 'Basic YTpi====', /base64/],
    ['bits that no byte has', 'Basic YTpiYh==', /base64/],
    ['the alphabet of URLs', `Basic ${base64('a:ÿÿÿ', 'latin1').replaceAll('/', '_')}`, /base64/],
    ['a comma, which joins two lines', `${basic('a:b')}, ${basic('c:d')}`, /base64/],
    ['a blank within', 'Basic YTpi YTpi', /base64/],
    ['a second token', `${basic('a:b')} x`, /base64/],
    ['no colon', basic('ab'), /colon/],
    ['an encoded colon only', basic('a%3Ab'), /colon/],
    ['a percent sign', basic('a:100%'), /form-encoded/],
    ['a bad escape', basic('a:%zz'), /form-encoded/],
    ['half an escape', basic('a:%4'), /form-encoded/],
    ['escapes that are not UTF-8', basic('a:%ff%fe'), /form-encoded/],
    ['an overlong escape', basic('a:%c0%ae'), /form-encoded/],
    ['an escaped surrogate', basic('a:%ed%a0%80'), /form-encoded/],
    ['bytes that are not UTF-8', basic('a:\xff', 'latin1'), /UTF-8/],
    ['NUL', basic('a:b\0'), /control/],
    ['an encoded NUL', basic('a:b%00'), /control/],
    ['a line break', basic('a%0d%0a:b'), /control/],
    ['a tab', basic('a\tb:c'), /control/],
    ['DEL', basic('a:%7f'), /control/],
    ['a control character beyond ASCII', basic('a:%c2%85'), /control/],
  ])('must not have %s', (_, value, problem) => {
    expect(() => basicCredentials(value)).toThrow(problem)
    expect(() => basicCredentials(value)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })

  test('are refused in a time that grows no faster than the header', () => {
    const long = 'A'.repeat(60_000)
    for (const value of [`Basic ${long}!`, `Basic ${' '.repeat(60_000)}`, `Basic ${long} ${long}`]) {
      expect(() => basicCredentials(value)).toThrow(/base64/)
    }
  })
})
