import type { TransportResponse } from '@broker/core'

/** Reads a body as text: little more than `maxBytes` of it. */
export async function bodyText(body: TransportResponse['body'], maxBytes: number): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    parts.push(chunk)
    length += chunk.byteLength
    if (length > maxBytes) break
  }
  return Buffer.concat(parts).toString('utf8')
}
