import { maxDrainMs } from './drain-response.ts'

/**
 * Copies a stream while it is sent, so that it can be sent again. Drops the copy when it exceeds a limit, so that no long
 * stream stays in memory.
 */
export class BodyCopy {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #bytes: Promise<Uint8Array | undefined>
  #isWanted = true

  constructor(stream: ReadableStream, maxBytes: number) {
    this.#reader = stream.getReader()
    this.#bytes = this.#read(maxBytes).catch(() => undefined)
  }

  /** Returns all bytes; `undefined` when there are too many, or when the stream does not end within a second. */
  async complete(): Promise<Uint8Array | undefined> {
    const timer = setTimeout(() => this.drop(), maxDrainMs)
    try {
      return await this.#bytes
    } finally {
      clearTimeout(timer)
    }
  }

  /** Stops copying. */
  drop(): void {
    this.#isWanted = false
    // Settles only when the other branch of the stream ends.
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
