import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Attributes, readAttributes } from '../../src/grpc/attributes-reader.ts'
import { CheckRequestSchema } from '../../src/grpc/generated/envoy/service/auth/v3/external_auth_pb.ts'
import { GrpcFailure } from '../../src/grpc/grpc-status.ts'
import { checkRequest, encodeRequest } from './support/envoy-client.ts'

const runs = { numRuns: 2_000 }
const bytes = fc.uint8Array({ maxLength: 40 }).map(each => Buffer.from(each))
const asciiText = fc.string({ unit: 'binary-ascii', maxLength: 40 })
const headerName = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/),
  fc.constantFrom('', ':', ':method', ':Path', 'Upper', 'with blank ', 'long'.repeat(1_000)),
)
const request = fc.record(
  {
    method: asciiText,
    path: asciiText,
    host: asciiText,
    headers: fc.dictionary(headerName, asciiText, { maxKeys: 10, noNullPrototype: true }),
    lines: fc.array(fc.tuple(headerName, bytes), { maxLength: 10 }),
    context: fc.dictionary(fc.string(), fc.string(), { maxKeys: 4, noNullPrototype: true }),
  },
  { requiredKeys: [] },
)

function stripped(value: string): string {
  return value.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}

/** What the generated code reads, in the form of the own reader. */
function byGeneratedCode(message: Uint8Array): Attributes {
  const { attributes } = fromBinary(CheckRequestSchema, message)
  const http = attributes?.request?.http
  const lines = (http?.headerMap?.headers ?? []).filter(({ key }) => key === ':path' || key[0] !== ':')
  const context = attributes?.contextExtensions ?? {}
  const own = Object.entries(http?.headers ?? {}).filter(([key]) => key[0] !== ':')
  const [rawPath] = lines.filter(({ key, rawValue }) => key === ':path' && rawValue.length > 0)
  return {
    headers: [
      ...own.flatMap(([key, value]) => [key, stripped(value)]),
      ...lines
        .filter(({ key }) => key !== ':path')
        .flatMap(({ key, value, rawValue }) => [
          key,
          stripped(rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : value),
        ]),
      ...(stripped(http?.host ?? '') ? ['host', stripped(http?.host ?? '')] : []),
    ],
    joinedHeaders: Object.keys(http?.headers ?? {}).length > 0,
    method: http?.method || undefined,
    path: rawPath === undefined ? http?.path || undefined : Buffer.from(rawPath.rawValue).toString('latin1'),
    maskedPath: rawPath === undefined,
    context: Object.keys(context).length > 0 ? context : undefined,
  }
}

/** The attributes as plain values, with headers in any order, which a map does not keep. */
function plain({ headers, joinedHeaders, method, path, maskedPath, context }: Attributes) {
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : []))
  return {
    lines: lines.toSorted(),
    joinedHeaders,
    method,
    path,
    maskedPath,
    context: context && { ...context },
  }
}

describe('the attributes of a check', () => {
  test('are those that the generated code reads from a message by the original protos', () => {
    fc.assert(
      fc.property(request, http => {
        const message = encodeRequest(checkRequest(http))
        expect(plain(readAttributes(message))).toEqual(plain(byGeneratedCode(message)))
      }),
      runs,
    )
  })

  test('have a character for each byte, like HTTP', () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const { headers } = readAttributes(encodeRequest(checkRequest({ lines: [['x-all', every]] })))
    expect(headers).toEqual(['x-all', every.toString('latin1')])
  })

  test('have the path of the header map, which has every byte, and else say that bytes may be masked', () => {
    const of = (lines: readonly (readonly [string, Buffer])[]) =>
      readAttributes(encodeRequest(checkRequest({ path: '/a!b', lines })))
    const raw = Buffer.from('/a\xffb', 'latin1')
    expect(of([[':path', raw]])).toMatchObject({ path: '/a\xffb', maskedPath: false, headers: [] })
    for (const name of [':PATH', ':path ', 'path', ':authority']) {
      expect(of([[name, raw]])).toMatchObject({ path: '/a!b', maskedPath: true })
    }
    // In the map without raw values, Envoy masks it too.
    const masked = encodeRequest(checkRequest({ path: '/a!b', headers: { ':path': '/a!b' } }))
    expect(readAttributes(masked)).toMatchObject({ path: '/a!b', maskedPath: true })
    const twice = { path: '/', lines: [[':path', raw] as const, [':path', raw] as const] }
    expect(() => readAttributes(encodeRequest(checkRequest(twice)))).toThrow(/more than once/)
  })

  test('have no blanks around a value, like HTTP, and read a long run of them at once', () => {
    const blanks = ' \t'.repeat(50_000)
    const { headers } = readAttributes(
      encodeRequest(
        checkRequest({
          host: '\tapi.example.com ',
          lines: [
            ['a', ' \t1 2\t '],
            ['b', ' \t '],
            ['c', '\u00a01\u000b'],
            ['d', `x${blanks}x${blanks}`],
          ],
        }),
      ),
    )
    expect(headers).toEqual(
      ['a', '1 2', 'b', '', 'c', '\u00a01\u000b', 'd', `x${blanks}x`].concat('host', 'api.example.com'),
    )
  })

  test('have every line of a header, and no pseudo-header', () => {
    const { headers, joinedHeaders } = readAttributes(
      encodeRequest(
        checkRequest({
          host: 'api.example.com',
          lines: [
            [':path', '/forged'],
            [':authority', 'forged'],
            ['a', '1'],
            ['a', '2'],
          ],
        }),
      ),
    )
    expect(headers).toEqual(['a', '1', 'a', '2', 'host', 'api.example.com'])
    expect(joinedHeaders).toBe(false)
  })

  test('keep both entries of a map that has a key twice', () => {
    const once = encodeRequest({ attributes: { request: { http: { headers: { a: '1' } } } } })
    const twice = Buffer.concat([
      once,
      encodeRequest({ attributes: { request: { http: { headers: { a: '2' } } } } }),
    ])
    expect(readAttributes(twice).headers).toEqual(['a', '1', 'a', '2'])
  })

  test('have a context without a prototype, whatever its keys', () => {
    const message = toBinary(
      CheckRequestSchema,
      create(CheckRequestSchema, {
        attributes: {
          request: { http: {} },
          contextExtensions: JSON.parse('{"__proto__":"x","client":"a"}'),
        },
      }),
    )
    const { context } = readAttributes(Buffer.from(message))
    expect(Object.getPrototypeOf(context)).toBeNull()
    expect(context?.['client']).toBe('a')
    expect(context?.['toString']).toBeUndefined()
  })

  test('need an HTTP request', () => {
    for (const message of [{}, { attributes: {} }, { attributes: { request: {} } }]) {
      expect(() => readAttributes(encodeRequest(message))).toThrow(GrpcFailure)
    }
  })
})

/** Reads, and lets nothing but a `GrpcFailure` end it. */
function readOrFail(message: Buffer): Attributes | undefined {
  try {
    return readAttributes(message)
  } catch (error) {
    if (error instanceof GrpcFailure) return undefined
    throw error
  }
}

function isReadByGeneratedCode(message: Buffer): boolean {
  try {
    fromBinary(CheckRequestSchema, message)
    return true
  } catch {
    return false
  }
}

describe('malformed bytes', () => {
  test('end in a failure of the call, or in attributes that the bytes really have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), raw => {
        const message = Buffer.from(raw)
        const read = readOrFail(message)
        if (read === undefined) return
        const text = message.toString('latin1')
        for (const part of [...read.headers, read.method ?? '', read.path ?? '']) {
          if (part !== 'host') expect(text).toContain(part)
        }
      }),
      { numRuns: 20_000 },
    )
  })

  test('that are a valid message with changes never end otherwise', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(request, changes, fc.nat(), (http, edits, end) => {
        const message = encodeRequest(checkRequest(http))
        for (const [at, byte] of edits) message[at % message.length] = byte
        readOrFail(message)
        readOrFail(message.subarray(0, end % message.length))
      }),
      { numRuns: 10_000 },
    )
  })

  test('that the generated code refuses are refused, when every field is one that is read', () => {
    fc.assert(
      fc.property(request, fc.nat(), (http, end) => {
        const message = encodeRequest(checkRequest(http))
        const short = message.subarray(0, end % message.length)
        if (!isReadByGeneratedCode(short)) expect(readOrFail(short)).toBeUndefined()
      }),
      runs,
    )
  })

  test.each([
    ['a field with the number 0', [0x00]],
    ['a group', [0x0b, 0x0c]],
    ['a length beyond the end', [0x0a, 0x05, 0x01]],
    ['a length beyond the outer message', [0x0a, 0x02, 0x22, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00]],
    ['a length of 2 GiB', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['a length of 4 GiB', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a number without end', Array.from({ length: 100 }, () => 0xff)],
    ['a message in place of a number', [0x08, 0x01]],
    ['a text in place of a message, too short', [0x0a]],
  ])('with %s are refused', (_, raw) => {
    expect(() => readAttributes(Buffer.from(raw))).toThrow(expect.objectContaining({ status: 3 }))
  })
})
