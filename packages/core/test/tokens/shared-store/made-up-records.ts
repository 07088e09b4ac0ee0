import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { TokenRecord } from '../../../src/tokens/shared-store/token-record.ts'

const visible = fc.integer({ min: 0x21, max: 0x7e }).map(code => String.fromCharCode(code))
const inner = fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code))
const time = fc.integer({ min: -8.64e15, max: 8.64e15 })

/** Values that a header carries as they are. */
export const headerValue: fc.Arbitrary<string> = fc
  .tuple(visible, fc.string({ unit: inner, maxLength: 40 }), visible)
  .map(parts => parts.join(''))

const fieldName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'id_token', 'expires_in', ''),
)

const fields = fc.array(fc.tuple(fieldName, headerValue), { maxLength: 4 }).map(entries => {
  // Without a prototype, as the fields of a token response.
  const made: Record<string, string> = Object.create(null)
  for (const [name, value] of entries) made[name] = value
  return made
})

/** Any record that a token response can become. */
export const anyRecord: fc.Arbitrary<TokenRecord> = fc.record({
  accessToken: fc.string({ unit: visible, minLength: 1, maxLength: 2_000 }),
  expiresIn: fc.option(
    // Without -0, which JSON does not have.
    fc.oneof(fc.integer(), fc.double({ noNaN: true, min: -1e15, max: 1e15 })).map(seconds => seconds + 0),
    { nil: undefined },
  ),
  answeredAt: fc.option(time, { nil: undefined }),
  fields,
  requestedAt: time,
})

/** Names as the broker makes them, and others. */
export const anyName: fc.Arbitrary<string> = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('base64url')),
  fc.string({ unit: 'grapheme' }),
)

export const anyFence: fc.Arbitrary<number> = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

export function newKey(): string {
  return randomBytes(32).toString('base64')
}

/** A record with a token of a length. */
export function recordOf(length: number, parts: Partial<TokenRecord> = {}): TokenRecord {
  const accessToken = randomBytes(length).toString('base64url').slice(0, length)
  return {
    accessToken,
    expiresIn: 3600,
    answeredAt: Date.parse('2030-01-01T00:00:00Z'),
    fields: {},
    requestedAt: Date.parse('2029-12-31T23:59:59.900Z'),
    ...parts,
  }
}
