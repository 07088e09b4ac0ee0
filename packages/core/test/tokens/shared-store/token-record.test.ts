import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTokenRecord, tokenRecordText } from '../../../src/tokens/shared-store/token-record.ts'
import { recordOf } from './made-up-records.ts'

const valid = JSON.parse(tokenRecordText(recordOf(900, { fields: { id_token: 'x' } }))) as Record<
  string,
  unknown
>
const withMember = (name: string, value: unknown) =>
  readTokenRecord(JSON.stringify({ ...valid, [name]: value }))

describe('the content of a record', () => {
  test('is read as the token response that it was', () => {
    expect(readTokenRecord(JSON.stringify(valid))).toEqual(valid)
  })

  test.each<[string, unknown]>([
    ['accessToken', undefined],
    ['accessToken', ''],
    ['accessToken', 5],
    ['accessToken', 'two words'],
    ['accessToken', 'line\r\nx-injected: 1'],
    ['accessToken', 'tökén'],
    ['accessToken', 'a'.repeat(60 * 1024 + 1)],
    ['expiresIn', null],
    ['expiresIn', '3600'],
    ['expiresIn', 2 ** 53],
    ['answeredAt', null],
    ['answeredAt', '2030-01-01'],
    ['answeredAt', 8.64e15 + 1],
    ['requestedAt', undefined],
    ['requestedAt', null],
    ['requestedAt', '0'],
    ['requestedAt', -8.64e15 - 1],
    ['fields', undefined],
    ['fields', null],
    ['fields', []],
    ['fields', 'fields'],
    ['fields', { id_token: 5 }],
    ['fields', { id_token: null }],
    ['fields', { id_token: ' x' }],
    ['fields', { id_token: 'x\n' }],
    ['fields', { id_token: '' }],
    ['fields', { id_token: 'x'.repeat(60 * 1024 - 899) }],
  ])('is nothing with a wrong member: %s, %j', (name, value) => {
    expect(withMember(name, value)).toBeUndefined()
  })

  test('may have as much in its headers as a token response: 60 KiB', () => {
    expect(withMember('fields', { id_token: 'x'.repeat(60 * 1024 - 900) })).toBeDefined()
  })

  test('is nothing when it is another JSON value, or none', () => {
    for (const text of ['', '{', 'null', '[]', '"x"', '{}', `[${JSON.stringify(valid)}]`]) {
      expect(readTokenRecord(text)).toBeUndefined()
    }
  })

  test('has fields that no name can put onto a prototype', () => {
    const fields = withMember('fields', JSON.parse('{"__proto__":"polluted","constructor":"x"}'))?.fields
    expect(Object.entries(fields ?? {})).toEqual([
      ['__proto__', 'polluted'],
      ['constructor', 'x'],
    ])
    expect(Object.getPrototypeOf(fields)).toBeNull()
    expect(Object.isFrozen(fields)).toBe(true)
  })

  test('keeps an expires_in beyond all bounds as one that is as good as endless', () => {
    const read = (expiresIn: number) =>
      readTokenRecord(tokenRecordText(recordOf(9, { expiresIn })))?.expiresIn
    expect(read(Number.POSITIVE_INFINITY)).toBe(Number.MAX_SAFE_INTEGER)
    expect(read(Number.NEGATIVE_INFINITY)).toBe(-Number.MAX_SAFE_INTEGER)
  })

  test('is read from any JSON without an exception, and has only members of the right type', () => {
    const member = fc.constantFrom('accessToken', 'expiresIn', 'answeredAt', 'fields', 'requestedAt')
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, value) => {
        const record = withMember(name, value)
        if (record === undefined) return
        expect(typeof record.accessToken).toBe('string')
        expect(Number.isFinite(record.requestedAt)).toBe(true)
        expect(Object.values(record.fields).every(text => typeof text === 'string')).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
