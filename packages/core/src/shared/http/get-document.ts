import { readBoundedBody } from './read-bounded-body.ts'
import type { Transport } from './transport.ts'

export interface FetchedDocument {
  readonly status: number
  /** `undefined` when it was longer than the bound. */
  readonly body: string | undefined
}

/** GETs a JSON document, at most `maxBytes` of it; rejects as the transport does. */
export async function getDocument(
  url: string,
  { transport, signal, maxBytes }: { transport: Transport; signal: AbortSignal; maxBytes: number },
): Promise<FetchedDocument> {
  const response = await transport(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal,
  })
  return { status: response.status, body: await readBoundedBody(response, maxBytes) }
}
