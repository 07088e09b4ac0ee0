import { readBoundedBody } from './read-bounded-body.ts'
import type { Transport } from './transport.ts'
import { unknownCoding } from './unknown-coding.ts'

export interface FetchedDocument {
  readonly status: number
  /** `undefined` when it was longer than the bound. */
  readonly body: string | undefined
  /** Its content coding, when nobody here can undo it. */
  readonly unknownCoding: string | undefined
}

export interface DocumentRequest {
  readonly transport: Transport
  readonly userAgent: string
  readonly accept: string
  readonly signal: AbortSignal
  readonly maxBytes: number
}

/** GETs a JSON document, at most `maxBytes` of it; rejects as the transport does. */
export async function getDocument(
  url: string,
  { transport, userAgent, accept, signal, maxBytes }: DocumentRequest,
): Promise<FetchedDocument> {
  const response = await transport(url, {
    method: 'GET',
    headers: { accept, 'accept-encoding': 'identity', 'user-agent': userAgent },
    redirect: 'manual',
    signal,
  })
  return {
    status: response.status,
    body: await readBoundedBody(response, maxBytes),
    unknownCoding: unknownCoding(response.headers.get('content-encoding')),
  }
}
