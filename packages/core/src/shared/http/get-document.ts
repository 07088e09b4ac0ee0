import { readBoundedBody } from './read-bounded-body.ts'
import type { Transport } from './transport.ts'
import { unknownCoding } from './unknown-coding.ts'

export interface FetchedDocument {
  readonly status: number
  /** `undefined` when it is longer than `maxBytes`. */
  readonly body: string | undefined
  /** Its content coding, if the broker cannot decode it. */
  readonly unknownCoding: string | undefined
}

export interface DocumentRequest {
  readonly transport: Transport
  readonly userAgent: string
  readonly accept: string
  readonly signal: AbortSignal
  readonly maxBytes: number
}

/** GETs a JSON document, at most `maxBytes` long. Rejects with the error of the transport. */
export async function getDocument(
  url: string,
  { transport, userAgent, accept, signal, maxBytes }: DocumentRequest,
): Promise<FetchedDocument> {
  const response = await transport(url, {
    method: 'GET',
    headers: { accept, 'accept-encoding': 'identity', 'user-agent': userAgent },
    redirect: 'manual',
    signal,
    maxBodyBytes: maxBytes,
  })
  return {
    status: response.status,
    body: await readBoundedBody(response, maxBytes),
    unknownCoding: unknownCoding(response.headers.get('content-encoding')),
  }
}
