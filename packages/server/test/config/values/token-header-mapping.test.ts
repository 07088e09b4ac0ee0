import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatTokenHeaderMappings,
  parseTokenHeaderMappings,
} from '../../../src/config/values/token-header-mapping.ts'

describe('parseTokenHeaderMappings', () => {
  it('reads pairs, trims blanks, skips empty parts and names the header after the field by default', () => {
    expect(parseTokenHeaderMappings(' access_token , token_type : X-Token-Type,, ')).toEqual([
      { field: 'access_token', header: 'access_token' },
      { field: 'token_type', header: 'x-token-type' },
    ])
  })

  it('allows one field in two headers', () => {
    expect(parseTokenHeaderMappings('access_token:x-a,access_token:x-b')).toHaveLength(2)
  })

  it.each([
    ['access_token:', '"access_token:": "" is not a header name'],
    [':x-a', '":x-a" has no field before the colon'],
    ['a b', '"a b": "a b" is not a header name'],
    ['a:b:c', '"a:b:c": "b:c" is not a header name'],
    ['a::path', '"a::path": ":path" is a pseudo header of HTTP/2'],
    ['a:Content-Length', '"a:Content-Length": "Content-Length" describes the body of the message'],
    ['a:x-envoy-retry-on', '"a:x-envoy-retry-on": "x-envoy-retry-on" is a control header of Envoy'],
    ['a:X-A,b:x-a', '"x-a" is the header of more than one mapping'],
  ])('refuses %j', (text, problem) => {
    expect(() => parseTokenHeaderMappings(text)).toThrow(problem)
  })

  it('names every faulty mapping, not only the first', () => {
    expect(() => parseTokenHeaderMappings('a:host,b:te')).toThrow(/"host".*; .*"te"/)
  })

  it('reads back what formatTokenHeaderMappings wrote', () => {
    const mapping = fc.record({
      field: fc.stringMatching(/^[a-z_]{1,12}$/),
      header: fc.stringMatching(/^x-[a-z\d_-]{1,12}$/).filter(name => !name.startsWith('x-envoy-')),
    })
    const mappings = fc.uniqueArray(mapping, { selector: ({ header }) => header })
    fc.assert(
      fc.property(mappings, given => {
        expect(parseTokenHeaderMappings(formatTokenHeaderMappings(given))).toEqual(given)
      }),
    )
  })

  it('agrees with the Go service on the pairs of any text that it accepts', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'B', '_', ':', ',', ' '), maxLength: 20 })
    fc.assert(
      fc.property(text, given => {
        let accepted: ReturnType<typeof parseTokenHeaderMappings>
        try {
          accepted = parseTokenHeaderMappings(given)
        } catch {
          return
        }
        const parts = given.split(',').map(part => part.trim())
        const expected = parts.filter(Boolean).map(part => {
          const [field = '', header = field] = part.split(':').map(side => side.trim())
          return { field, header: header.toLowerCase() }
        })
        expect(accepted).toEqual(expected)
      }),
    )
  })
})
