import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RepeatedText } from '../../src/grpc/repeated-text.ts'

/** Of few bytes, so that many texts differ in the middle alone, and have the same slot. */
const fewBytes = fc.array(fc.constantFrom(0x00, 0x61, 0x62, 0xe9, 0xff), { maxLength: 6 })
const text = fc.oneof(
  fewBytes,
  fc.uint8Array({ maxLength: 80 }).map(bytes => [...bytes]),
)

test('a text is the one that its bytes are in Latin-1, whatever texts came before', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), fc.nat(8), (texts, offset) => {
      const repeated = new RepeatedText()
      for (const bytes of [...texts, ...texts]) {
        const message = Buffer.from([...new Array<number>(offset).fill(0x7a), ...bytes, 0x7a])
        const end = offset + bytes.length
        expect(repeated.decode(message, offset, end)).toBe(message.toString('latin1', offset, end))
      }
    }),
    { numRuns: 1_000 },
  )
})

test('texts of one slot replace each other', () => {
  const repeated = new RepeatedText()
  const read = (text: string) => repeated.decode(Buffer.from(text), 0, text.length)
  expect(['x-a-id', 'x-b-id', 'x-a-id', 'x-a-id'].map(read)).toEqual(['x-a-id', 'x-b-id', 'x-a-id', 'x-a-id'])
})
