import { fromBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAttributes } from '../../src/grpc/attributes-reader.ts'
import { CheckRequestSchema } from '../../src/grpc/generated/envoy/service/auth/v3/external_auth_pb.ts'
import { GrpcFailure } from '../../src/grpc/grpc-status.ts'

type Bytes = readonly number[]

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function field(number: number, content: Bytes): Bytes {
  return [...varint((number << 3) | 2), ...varint(content.length), ...content]
}

const text = fc
  .constantFrom('', 'a', ' b ', 'x-client-id', ':path', ':method', 'GET', '/x', 'a,b')
  .map(each => [...Buffer.from(each)])

/** Fields that nobody knows, of every wire type. */
const unknown: fc.Arbitrary<Bytes> = fc.oneof(
  fc.constantFrom(
    [...varint(200 << 3), ...Array.from({ length: 9 }, () => 0xff), 1],
    [...varint((150 << 3) | 1), ...Array.from({ length: 8 }, () => 0xff)],
    [...varint((150 << 3) | 5), 1, 2, 3, 4],
  ),
  text.map(each => field(77, each)),
)

/** Fields of these contents, by number: in any order, any of them absent, once or several times. */
function message(fields: Readonly<Record<number, fc.Arbitrary<Bytes>>>): fc.Arbitrary<Bytes> {
  const known = Object.entries(fields).map(([number, content]) =>
    content.map(each => field(Number(number), each)),
  )
  return fc.array(fc.oneof(unknown, ...known), { maxLength: 6 }).map(parts => parts.flat())
}

const entry = message({ 1: text, 2: text, 3: text })
const http = message({ 2: text, 3: entry, 4: text, 5: text, 13: message({ 1: entry }) })
const checks = message({ 1: message({ 4: message({ 2: http }), 10: entry }) })

function lineOf(name: string, value: string): string {
  return `${name}: ${value.replace(/^[ \t]+|[ \t]+$/g, '')}`
}

test('parts of a message that are repeated, in another order or unknown are merged as the generated code does', () => {
  let compared = 0
  fc.assert(
    fc.property(checks, bytes => {
      const raw = Buffer.from(bytes)
      const { attributes } = fromBinary(CheckRequestSchema, raw)
      const byCode = attributes?.request?.http
      const lines = byCode?.headerMap?.headers ?? []
      const paths = lines.filter(({ key, rawValue }) => key === ':path' && rawValue.length > 0)
      if (byCode === undefined || paths.length > 1) {
        expect(() => readAttributes(raw)).toThrow(GrpcFailure)
        return
      }
      compared++
      const { headers, method, path, maskedPath, context } = readAttributes(raw)
      const [rawPath] = paths.map(({ rawValue }) => Buffer.from(rawValue).toString('latin1'))
      expect({ method, path, maskedPath, context: { ...context } }).toEqual({
        method: byCode.method || undefined,
        path: rawPath ?? (byCode.path || undefined),
        maskedPath: rawPath === undefined,
        context: attributes?.contextExtensions,
      })
      const own = headers.flatMap((name, index) =>
        index % 2 === 0 ? [lineOf(name, headers[index + 1] ?? '')] : [],
      )
      const expected = lines.map(({ key, value, rawValue }) =>
        lineOf(key, rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : value),
      )
      // Both values of a key that the map has twice are kept, so that a repeated credential is refused.
      expected.push(...Object.entries(byCode.headers).map(([name, value]) => lineOf(name, value)))
      if (byCode.host.trim() !== '') expected.push(lineOf('host', byCode.host))
      expect(own).toEqual(
        expect.arrayContaining(expected.filter(line => !line.startsWith(':') || line.startsWith(': '))),
      )
      expect(own.filter(line => line.startsWith(':') && !line.startsWith(': '))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
  expect(compared).toBeGreaterThan(300)
})
