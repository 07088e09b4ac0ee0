import type { TransportResponse } from './transport.ts'

/**
 * The body as text, or `undefined` when it is longer than `maxBytes`; what comes after the bound is not read.
 *
 * `content-length` is not asked: a peer that lies about it is the reason for the bound.
 */
export async function readBoundedBody(
  response: TransportResponse,
  maxBytes: number,
): Promise<string | undefined> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
