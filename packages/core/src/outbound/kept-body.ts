import type { OutgoingCall } from './outgoing-call.ts'

/**
 * Keeps the body of a caller's `Request` while it is sent: a `Request` shows it as a stream, which can be sent once. Reads
 * along and holds nothing up; beyond `maxBytes` it lets go.
 */
export class KeptBody {
  #bytes: Uint8Array<ArrayBuffer> | undefined

  /** `undefined` where nothing is to be kept. */
  static of({ request, body }: OutgoingCall, maxBytes: number): KeptBody | undefined {
    if (maxBytes === 0 || !request?.body || request.bodyUsed || body.value !== request.body) return undefined
    return new KeptBody(request.clone(), maxBytes)
  }

  private constructor(copy: Request, maxBytes: number) {
    // Whoever sends the original hears of its errors.
    if (copy.body !== null) this.#read(copy.body.getReader(), maxBytes).catch(() => {})
  }

  /** The call with a body that can be sent again; with that of its `Request` while it is not wholly known. */
  in(call: OutgoingCall): OutgoingCall {
    const bytes = this.#bytes
    // Copied, a `Request` has another stream than before.
    const value = bytes ?? call.request?.body ?? null
    return { ...call, body: { value, size: bytes?.byteLength } }
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<void> {
    const chunks: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      size += value.byteLength
      if (size > maxBytes) return void (await reader.cancel())
    }
    this.#bytes = new Uint8Array(Buffer.concat(chunks, size))
  }
}
