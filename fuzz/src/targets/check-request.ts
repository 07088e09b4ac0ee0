import assert from 'node:assert/strict'
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { type Attributes, readAttributes } from '../../../packages/server/src/grpc/attributes-reader.ts'
import {
  type CheckRequest,
  CheckRequestSchema,
} from '../../../packages/server/src/grpc/generated/envoy/service/auth/v3/external_auth_pb.ts'
import { GrpcFailure } from '../../../packages/server/src/grpc/grpc-status.ts'
import { MessageReader } from '../../../packages/server/src/grpc/message-reader.ts'
import { assertExpected } from '../expected-error.ts'
import type { Target } from '../target.ts'

const header = (key: string, value: string) => ({ key, value: '', rawValue: Buffer.from(value) })
const requests = [
  {
    http: {
      method: 'GET',
      path: '/orders?x=1',
      host: 'orders.example',
      headers: { 'x-client-id': 'reports', ':path': '/orders' },
    },
    context: { client: 'reports' },
  },
  {
    http: {
      method: 'POST',
      path: '/a!b',
      host: 'h',
      headerMap: {
        headers: [
          header(':path', '/a\u00ffb'),
          header('authorization', 'Bearer a.b.c'),
          { key: 'x', value: ' v ' },
        ],
      },
    },
    context: {},
  },
  { http: { method: '', path: '', host: '' }, context: { a: 'b', ü: 'é' } },
]
const messages = requests.map(({ http, context }) =>
  Buffer.from(
    toBinary(
      CheckRequestSchema,
      create(CheckRequestSchema, { attributes: { request: { http }, contextExtensions: context } }),
    ),
  ),
)

const sources = ['attributes-reader', 'wire-reader', 'repeated-text', 'route-contexts'].map(
  file => `packages/server/src/grpc/${file}.ts`,
)

/** The message of a gRPC check. What is accepted, the generated code accepts too, and reads in the same way. */
export const checkRequestTarget: Target = {
  name: 'check-request',
  seeds: messages,
  dictionary: [
    ...[
      [0x0a, 0x02],
      [0x12, 0],
      [0x1a],
      [0x52, 0],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0x80, 0x80, 0x80, 0x80, 0x10],
    ].map(each => Buffer.from(each)),
    ':path',
    'host',
  ],
  maxBytes: 16_384,
  sources,
  judge(input) {
    let own: Attributes
    try {
      own = readAttributes(input)
    } catch (error) {
      assertExpected(error instanceof GrpcFailure && /^[ -~]+$/.test(error.message), error)
      return
    }
    const reference = byGeneratedCode(input)
    if (reference !== undefined) assertSame(own, reference)
  },
}

/**
 * `undefined` for text that is not UTF-8: Envoy sends such bytes, so the own reader takes them as they are. Also for a field whose wire type
 * is not the declared one: an unknown field, which the generated code reads by the declared type, from wherever that leads it.
 */
function byGeneratedCode(message: Uint8Array): CheckRequest | undefined {
  try {
    if (!hasDeclaredTypes(CheckRequestSchema, message)) return undefined
    return fromBinary(CheckRequestSchema, message)
  } catch (error) {
    assertExpected(/not valid for encoding utf-8/.test((error as Error).message), error)
    return undefined
  }
}

function hasDeclaredTypes(schema: DescMessage, message: Uint8Array): boolean {
  const reader = new BinaryReader(message)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const field = schema.fields.find(each => each.number === number)
    if (field !== undefined && type !== wireTypeOf(field)) return false
    if (field?.fieldKind === 'map') {
      if (!isMapEntry(reader.bytes())) return false
    } else if (field?.message !== undefined) {
      if (!hasDeclaredTypes(field.message, reader.bytes())) return false
    } else reader.skip(type, number)
  }
  return true
}

/** Whether key and value have lengths: no map of these messages has numbers. */
function isMapEntry(entry: Uint8Array): boolean {
  const reader = new BinaryReader(entry)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number <= 2 && type !== WireType.LengthDelimited) return false
    reader.skip(type, number)
  }
  return true
}

function wireTypeOf({ fieldKind, scalar }: DescField): WireType {
  if (fieldKind === 'enum') return WireType.Varint
  switch (scalar) {
    case undefined:
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32
    default:
      return WireType.Varint
  }
}

function assertSame(own: Attributes, { attributes }: CheckRequest): void {
  const http = attributes?.request?.http
  assert.ok(http)
  const lines = http.headerMap?.headers ?? []
  const rawPath = lines.find(({ key, rawValue }) => key === ':path' && rawValue.length > 0)?.rawValue
  assert.equal(own.maskedPath, rawPath === undefined)
  if (rawPath !== undefined) assert.equal(own.path, Buffer.from(rawPath).toString('latin1'))
  // The generated code replaces bytes that are not UTF-8, and this one keeps them.
  else assert.equal(asUtf8(own.path), http.path)
  assert.equal(asUtf8(own.method), http.method)
  assert.deepEqual({ ...own.context }, attributes?.contextExtensions ?? {})
  const names = own.headers.filter((_, index) => index % 2 === 0)
  assert.ok(own.headers.length % 2 === 0 && names.every(name => !name.startsWith(':')))
  const values = new Map(
    own.headers.flatMap((name, index) =>
      index % 2 === 0 ? [[asUtf8(name), asUtf8(own.headers[index + 1])]] : [],
    ) as [string, string][],
  )
  for (const key of Object.keys(http.headers))
    if (!key.startsWith(':') && key !== 'host')
      assert.ok(values.has(key), `lacks the header ${JSON.stringify(key)}`)
  for (const { key } of lines)
    if (!key.startsWith(':')) assert.ok(values.has(key), `lacks the header ${JSON.stringify(key)}`)
}

function asUtf8(text = ''): string {
  return Buffer.from(text, 'latin1').toString()
}

const frame = (message: Buffer) => {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}
const maxBytes = 4_096

/** Frames of gRPC: the first byte chooses where the stream is cut. However it is cut, the messages are the same. */
export const messageFramesTarget: Target = {
  name: 'message-frames',
  seeds: [
    Buffer.concat([Buffer.of(3), ...messages.map(frame)]),
    Buffer.concat([Buffer.of(200), frame(Buffer.alloc(0)), frame(Buffer.alloc(300, 7))]),
  ],
  dictionary: ['\u0000\u0000\u0000\u0000\u0000', '\u0001', '\u0000\u0000\u0000\u0010\u0001'],
  maxBytes: 16_384,
  sources: ['packages/server/src/grpc/message-reader.ts'],
  judge(input) {
    const bytes = input.subarray(1)
    const whole = outcome([bytes])
    const size = (input[0] ?? 0) + 1
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    assert.deepEqual(outcome(pieces), whole)
  },
}

function outcome(chunks: readonly Buffer[]): readonly string[] {
  const reader = new MessageReader(maxBytes)
  const found: string[] = []
  try {
    let arrived = 0
    for (const chunk of chunks) {
      arrived += chunk.length
      reader.push(chunk, message => found.push(message.toString('hex')))
      assert.ok(reader.heldBytes <= 2 * arrived, `holds ${reader.heldBytes} of ${arrived} bytes`)
    }
    found.push(reader.isIncomplete ? 'incomplete' : 'complete')
  } catch (error) {
    assertExpected(error instanceof GrpcFailure, error)
    found.push(error.fault)
  }
  return found
}
