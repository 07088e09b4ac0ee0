import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { RepeatedText } from './repeated-text.ts'

/** The wire types of Protobuf that a field can have; groups, which are obsolete, are refused. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Reads the fields of a Protobuf message, up to an end that can be narrowed. Throws a `GrpcFailure` for malformed bytes. */
export class WireReader {
  readonly #bytes: Buffer
  #end: number
  #at = 0
  #field = 0
  #wireType = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#end = bytes.length
  }

  /** The number of the present field. */
  get field(): number {
    return this.#field
  }

  /** Moves to the next field; `false` at the end of the message. */
  next(): boolean {
    if (this.#at === this.#end) return false
    const tag = this.#varint()
    this.#field = tag >>> 3
    this.#wireType = tag & 7
    if (this.#field === 0) throw malformed()
    return true
  }

  /** Enters the message in the present field, and returns the end for {@link leave}. */
  enter(): number {
    const outer = this.#end
    this.#end = this.#endOfBytes()
    return outer
  }

  /** Leaves a message whose fields were all read. */
  leave(outer: number): void {
    this.#end = outer
  }

  /** Reads a string or bytes as Latin-1, a character for each byte: like Node's HTTP, and nothing is replaced or refused. */
  latin1(): string {
    const end = this.#endOfBytes()
    const start = this.#at
    this.#at = end
    return start === end ? '' : this.#bytes.toString('latin1', start, end)
  }

  /** Reads like {@link latin1} a string that most messages repeat and that is not a secret. */
  repeatedText(): string {
    const end = this.#endOfBytes()
    const start = this.#at
    this.#at = end
    return repeatedText.decode(this.#bytes, start, end)
  }

  /** Reads a string. Throws for bytes that are not UTF-8. */
  utf8(): string {
    const end = this.#endOfBytes()
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    try {
      return strictUtf8.decode(bytes)
    } catch {
      throw malformed()
    }
  }

  /** Passes over the present field. */
  skip(): void {
    switch (this.#wireType) {
      case wireType.varint:
        this.#skipVarint()
        break
      case wireType.fixed64:
        this.#advance(8)
        break
      case wireType.bytes:
        this.#at = this.#endOfBytes()
        break
      case wireType.fixed32:
        this.#advance(4)
        break
      default:
        throw malformed()
    }
  }

  #advance(length: number): void {
    this.#at += length
    if (this.#at > this.#end) throw malformed()
  }

  #endOfBytes(): number {
    if (this.#wireType !== wireType.bytes) throw malformed()
    const length = this.#varint()
    const end = this.#at + length
    if (end > this.#end) throw malformed()
    return end
  }

  /** A tag or a length, which have 32 bits. */
  #varint(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.#byte()
      // The fifth byte has room for four bits.
      if (shift === 28 && byte > 0x0f) throw malformed()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw malformed()
  }

  #skipVarint(): void {
    for (let length = 0; length < 10; length++) if (this.#byte() < 0x80) return
    throw malformed()
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed()
    return this.#bytes[this.#at++] as number
  }
}

const repeatedText = new RepeatedText()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function malformed(): GrpcFailure {
  return new GrpcFailure(grpcStatus.invalidArgument, 'the message is malformed')
}
