import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type FormFields, parseUrlEncodedForm } from './url-encoded-form.ts'

/** Go's cap for forms; a longer body is a malformed one. */
const longestForm = 10 * 1024 * 1024

/** A request with its form read, as the endpoints see it. */
export interface ReceivedRequest {
  readonly method: string
  /** The raw path, not decoded: Dex knows no `/%74oken`. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Fields of the body; empty for other media types, `undefined` for a malformed or too long form. */
  readonly form: FormFields | undefined
}

const mediaType = /^\s*([^\s;]+)\s*(?:;\s*[^\s;=]+=(?:"[^"]*"|[^\s;"]+)\s*)*;?\s*$/

/** Reads a request and, when it is a POST, its form; rejects when the client goes away meanwhile. */
export async function receiveRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  const path = question === -1 ? target : target.slice(0, question)
  const query = question === -1 ? '' : target.slice(question + 1)
  const method = request.method ?? 'GET'
  return { method, path, headers: request.headers, form: await readForm(request, method, query) }
}

async function readForm(
  request: IncomingMessage,
  method: string,
  query: string,
): Promise<FormFields | undefined> {
  // Go parses the query along with the body: its fields stay unseen, but its errors count.
  const queryIsWellFormed = parseUrlEncodedForm(query) !== undefined
  const contentType = request.headers['content-type']
  const type = mediaType.exec(contentType ?? '')?.[1]?.toLowerCase()
  const hasForm = method === 'POST' && type === 'application/x-www-form-urlencoded'
  const body = await readBody(request, hasForm)
  if (!queryIsWellFormed || body === undefined) return undefined
  if (method === 'POST' && contentType && type === undefined) return undefined
  return hasForm ? parseUrlEncodedForm(body) : new Map()
}

async function readBody(request: IncomingMessage, wanted: boolean): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!wanted || length > longestForm) continue
    length += (chunk as Buffer).length
    chunks.push(chunk as Buffer)
  }
  return length > longestForm ? undefined : Buffer.concat(chunks).toString('latin1')
}
