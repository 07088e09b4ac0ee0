import { maxDrainMs } from './drain-response.ts'

/**
 * A copy of a stream that is sent meanwhile, for a second time; kept only while it is not longer than a bound, so that a
 * long stream is not held in memory.
 */
export class BodyCopy {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #bytes: Promise<Uint8Array | undefined>
  #isWanted = true

  constructor(stream: ReadableStream, maxBytes: number) {
    this.#reader = stream.getReader()
    this.#bytes = this.#read(maxBytes).catch(() => undefined)
  }

  /** All bytes; `undefined` when there are too many, or when they do not end within a second. */
  async complete(): Promise<Uint8Array | undefined> {
    const timer = setTimeout(() => this.drop(), maxDrainMs)
    try {
      return await this.#bytes
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes no more of the stream. */
  drop(): void {
    this.#isWanted = false
    // Settles only when the other half of the stream is through, too.
    this.#reader.cancel().catch(() => {})
  }

  async #read(maxBytes: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (!this.#isWanted) return undefined
      if (done) return Buffer.concat(chunks)
      if (value instanceof Uint8Array && size + value.byteLength <= maxBytes) {
        size += value.byteLength
        chunks.push(value)
      } else {
        this.drop()
        return undefined
      }
    }
  }
}
