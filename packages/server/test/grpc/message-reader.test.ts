import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GrpcFailure } from '../../src/grpc/grpc-status.ts'
import { MessageReader } from '../../src/grpc/message-reader.ts'
import { framed } from './support/raw-call.ts'

function messagesOf(chunks: readonly Buffer[], maxBytes = 1_000) {
  const reader = new MessageReader(maxBytes)
  const messages: Buffer[] = []
  for (const chunk of chunks) reader.push(chunk, message => messages.push(Buffer.from(message)))
  return { messages, isIncomplete: reader.isIncomplete }
}

/** Cuts bytes into pieces of these lengths, again and again. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const end = at + (lengths[index % lengths.length] ?? 1)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

const message = fc.uint8Array({ maxLength: 300 })

describe('a reader of messages', () => {
  test('finds the same messages, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        (messages, lengths) => {
          const bytes = Buffer.concat(messages.map(each => framed(each)))
          const read = messagesOf(cut(bytes, lengths))
          expect(read.messages.map(each => [...each])).toEqual(messages.map(each => [...each]))
          expect(read.isIncomplete).toBe(false)
        },
      ),
    )
  })

  test('notices a message that is cut short, wherever', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 50 }), (bytes, missing, length) => {
        const whole = framed(bytes)
        const some = whole.subarray(0, 1 + (missing % (whole.length - 1)))
        const read = messagesOf(cut(some, [length]))
        expect(read).toEqual({ messages: [], isIncomplete: true })
      }),
    )
  })

  test('refuses a message that is too long by its prefix, before it arrives', () => {
    expect(messagesOf([framed(Buffer.alloc(10))], 10).messages).toHaveLength(1)
    for (const length of [11, 2 ** 31, 2 ** 32 - 1]) {
      const prefix = framed(Buffer.alloc(0), { length })
      expect(() => messagesOf([prefix], 10)).toThrow(expect.objectContaining({ status: 8 }))
      expect(() => messagesOf(cut(prefix, [1]), 10)).toThrow(expect.objectContaining({ status: 8 }))
    }
  })

  test('refuses compression as not implemented, and other flags', () => {
    expect(() => messagesOf([framed(Buffer.alloc(1), { flag: 1 })])).toThrow(
      expect.objectContaining({ status: 12 }),
    )
    for (const flag of [2, 128, 255]) {
      expect(() => messagesOf([framed(Buffer.alloc(1), { flag })])).toThrow(GrpcFailure)
    }
  })

  test('copies what it holds, so that its caller may reuse a chunk', () => {
    const bytes = framed(Buffer.from('a message'))
    const first = Buffer.from(bytes.subarray(0, 7))
    const reader = new MessageReader(100)
    reader.push(first, () => {})
    first.fill(0)
    const messages: string[] = []
    reader.push(bytes.subarray(7), found => messages.push(found.toString()))
    expect(messages).toEqual(['a message'])
  })
})
