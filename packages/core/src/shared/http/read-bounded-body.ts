import { decodeContent } from './decode-content.ts'
import type { TransportResponse } from './transport.ts'

/**
 * The body as text, decoded if need be, or `undefined` when it is longer than `maxBytes`, before or after decoding; what
 * comes after the bound is not read.
 *
 * `content-length` is not asked: a peer that lies about it is the reason for the bound.
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
