import { GrpcFailure, grpcStatus } from './grpc-status.ts'

/** Length of the prefix of a message: the flag for compression, and the length. */
export const prefixBytes = 5

/** Returns the message of a chunk that is exactly one, uncompressed and at most `maxBytes` long; `undefined` for any other chunk. */
export function wholeMessage(chunk: Buffer, maxBytes: number): Buffer | undefined {
  if (chunk.length < prefixBytes || chunk[0] !== 0) return undefined
  const length = chunk.readUInt32BE(1)
  return length === chunk.length - prefixBytes && length <= maxBytes ? chunk.subarray(prefixBytes) : undefined
}

/** Cuts the bytes of a stream into messages. Holds at most twice what has arrived, whatever length a prefix announces. */
export class MessageReader {
  readonly #maxBytes: number
  /** The start of a message that has not arrived completely. */
  #held: Buffer | undefined
  #heldBytes = 0

  /** `maxBytes` bounds each message. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether the last message is not complete. */
  get isIncomplete(): boolean {
    return this.#heldBytes > 0
  }

  /** How much memory the start of the last message takes. */
  get heldBytes(): number {
    return this.#held?.length ?? 0
  }

  /** Calls `onMessage` for each message that `chunk` completes. Throws a `GrpcFailure` for a message that is too long or compressed. */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    let bytes = this.#heldBytes === 0 ? chunk : this.#append(chunk)
    while (bytes.length >= prefixBytes) {
      const end = prefixBytes + this.#lengthIn(bytes)
      if (bytes.length < end) break
      onMessage(bytes.subarray(prefixBytes, end))
      bytes = bytes.subarray(end)
    }
    this.#hold(bytes)
  }

  #lengthIn(bytes: Buffer): number {
    if (bytes[0] === 1) {
      throw new GrpcFailure(grpcStatus.unimplemented, 'compressed messages are not supported', 'compressed')
    }
    if (bytes[0] !== 0) throw new GrpcFailure(grpcStatus.internal, 'the prefix of the message is invalid')
    const length = bytes.readUInt32BE(1)
    if (length > this.#maxBytes) {
      throw new GrpcFailure(
        grpcStatus.resourceExhausted,
        `the message has ${length} bytes, more than ${this.#maxBytes}`,
        'too_large',
      )
    }
    return length
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#heldBytes + chunk.length
    let held = this.#held as Buffer
    if (held.length < length) {
      // Doubles, so that a message in many small pieces is not copied for each of them, up to what its prefix announces.
      const whole = this.#heldBytes < prefixBytes ? length : prefixBytes + held.readUInt32BE(1)
      held = Buffer.allocUnsafeSlow(Math.max(length, Math.min(held.length * 2, whole)))
      this.#held?.copy(held, 0, 0, this.#heldBytes)
      this.#held = held
    }
    chunk.copy(held, this.#heldBytes)
    this.#heldBytes = length
    return held.subarray(0, length)
  }

  #hold(rest: Buffer): void {
    const held = this.#held
    if (rest.length === 0) {
      this.#held = undefined
    } else if (held === undefined || rest.buffer !== held.buffer || rest.byteOffset !== held.byteOffset) {
      // A copy, because a few bytes of a large chunk would keep all of it.
      this.#held = Buffer.allocUnsafeSlow(rest.length)
      rest.copy(this.#held)
    }
    this.#heldBytes = rest.length
  }
}
