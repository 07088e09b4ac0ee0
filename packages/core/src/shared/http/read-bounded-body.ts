import type { MaybePromise } from '../maybe-promise.ts'
import { decodeContent } from './decode-content.ts'
import type { TransportResponse } from './transport.ts'

/** Removes a byte order mark, as `Response.text()` does. */
const utf8 = new TextDecoder()

/**
 * Reads a body as text and decodes it. Returns `undefined` when it is longer than `maxBytes`, before or after decoding, and
 * reads no further.
 *
 * Ignores `content-length`, which can be wrong.
 */
export function readBoundedBody(
  { body, headers }: TransportResponse,
  maxBytes: number,
): MaybePromise<string | undefined> {
  if (body === null) return ''
  const contentEncoding = headers.get('content-encoding')
  if (!(body instanceof Uint8Array)) return readChunks(body, contentEncoding, maxBytes)
  if (body.byteLength > maxBytes) return undefined
  return contentEncoding === null ? utf8.decode(body) : decoded(body, contentEncoding, maxBytes)
}

async function readChunks(
  body: AsyncIterable<Uint8Array>,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return decoded(Buffer.concat(chunks), contentEncoding, maxBytes)
}

async function decoded(
  { buffer, byteOffset, byteLength }: Uint8Array,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<string | undefined> {
  const bytes = await decodeContent(Buffer.from(buffer, byteOffset, byteLength), contentEncoding, maxBytes)
  return bytes && utf8.decode(bytes)
}
