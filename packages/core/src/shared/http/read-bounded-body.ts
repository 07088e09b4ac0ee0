import { decodeContent } from './decode-content.ts'
import type { TransportResponse } from './transport.ts'

/**
 * Reads a body as text and decodes it. Returns `undefined` when it is longer than `maxBytes`, before or after decoding, and
 * reads no further.
 *
 * Ignores `content-length`, which can be wrong.
 */
export async function readBoundedBody(
  response: TransportResponse,
  maxBytes: number,
): Promise<string | undefined> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  const contentEncoding = response.headers.get('content-encoding')
  const bytes = await decodeContent(Buffer.concat(chunks), contentEncoding, maxBytes)
  return bytes && new TextDecoder().decode(bytes)
}
