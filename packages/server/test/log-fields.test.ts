import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckProtocol } from '../src/checks.ts'
import { logFieldsOf as fieldsOf } from '../src/log-fields.ts'

const logFieldsOf = (request: { readonly headers: readonly string[] }, protocol: CheckProtocol) =>
  fieldsOf(request, protocol, ['x-client-id', 'x-client-secret'])

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test('the ids of a check are its request id, and those of its trace', () => {
  const headers = ['X-Request-Id', 'a-1', 'traceparent', `00-${traceId}-${spanId}-01`]
  const ids = { request_id: 'a-1', trace_id: traceId, span_id: spanId }
  expect(logFieldsOf({ headers }, 'grpc')).toEqual({ protocol: 'grpc', ...ids })
  const later = ['traceparent', `01-${traceId}-${spanId}-01-more`]
  expect(
    logFieldsOf({ headers: ['x-request-id', 'first', 'x-request-id', 'second'] }, 'http').request_id,
  ).toBe('first')
  expect(logFieldsOf({ headers: later }, 'http')).toMatchObject({ trace_id: traceId })
  expect(logFieldsOf({ headers: ['accept', '*/*'] }, 'http')).toEqual({ protocol: 'http' })
})

test.each([
  '',
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-01 and more`,
])('a malformed traceparent gives no ids: %j', traceparent => {
  expect(logFieldsOf({ headers: ['traceparent', traceparent] }, 'http')).toEqual({ protocol: 'http' })
})

test('whatever a caller sends as an id, what comes through is short, and no line break, no blank and no signed JWT', () => {
  const signed = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.${'A'.repeat(86)}`
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      signed,
      `Bearer ${signed}`,
      'Basic b3JkZXJz',
      'a\r\n{"level":"fatal"}',
      '\u001b[2J',
      'x'.repeat(65),
    ),
  )
  fc.assert(
    fc.property(hostile, hostile, (id, traceparent) => {
      const fields = logFieldsOf({ headers: ['x-request-id', id, 'traceparent', traceparent] }, 'http')
      expect(fields.request_id).toMatch(/^[\w.:=@/+-]{1,64}$/)
      for (const value of Object.values(fields)) expect(value.length).toBeLessThanOrEqual(64)
      expect(JSON.stringify(fields)).not.toContain(signed)
    }),
  )
  expect(logFieldsOf({ headers: ['x-request-id', signed] }, 'http').request_id).toBe('invalid')
})

test('an id that repeats a credential of its request, or a part of one, does not come through', () => {
  const idWith = (id: string, ...headers: readonly string[]) =>
    logFieldsOf({ headers: ['x-request-id', id, ...headers] }, 'http').request_id
  expect(idWith('s3cret', 'X-Client-Secret', 's3cret')).toBe('invalid')
  expect(idWith('my-long-secret-1', 'x-client-secret', 'my-long-secret')).toBe('invalid')
  expect(idWith('b3JkZXJzOnNlY3JldA==', 'authorization', 'Basic b3JkZXJzOnNlY3JldA==')).toBe('invalid')
  expect(idWith('a-1', 'x-client-secret', 'a-1-and-more', 'x-correlation-id', 'a-1')).toBe('a-1')
})
