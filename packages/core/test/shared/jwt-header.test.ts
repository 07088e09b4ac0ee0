import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jwtHeader } from '../../src/shared/jwt-header.ts'
import { jwtPart } from '../../src/shared/jwt-part.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Few enough that some come again, and more than are remembered. */
const headers = fc.record({ alg: fc.constantFrom('RS256', 'none'), kid: fc.nat({ max: 30 }).map(String) })
const encoded = fc.oneof(
  headers.map(header => Buffer.from(JSON.stringify(header)).toString('base64url')),
  fc.constantFrom('', 'W10', 'bnVsbA', '_w'),
  fc.base64String().map(text => text.replace(/\W/g, '')),
)

describe('the header of a JWT', () => {
  test('is read as any part of a JWT, whatever was read before', () => {
    fc.assert(
      fc.property(fc.array(encoded), all => {
        expect(all.map(jwtHeader)).toEqual(all.map(jwtPart))
      }),
    )
  })

  test('cannot be changed for the next JWT', () => {
    const header = jwtHeader('eyJhbGciOiJSUzI1NiJ9')
    expect(() => Object.assign(header ?? {}, { alg: 'none' })).toThrow(TypeError)
  })

  test('keeps no JWT in memory', () => {
    const megabyte = 1024 * 1024
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 16; index++) {
      const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `key-${index}` })).toString('base64url')
      const [part = ''] = `${header}.${'c'.repeat(megabyte)}`.split('.', 1)
      expect(jwtHeader(part)).toMatchObject({ kid: `key-${index}` })
    }
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4 * megabyte)
  })
})
