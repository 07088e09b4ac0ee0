import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export interface SentRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A form as pairs, or any body as text. */
  readonly body?: string | Buffer | Readonly<Record<string, string>>
}

export interface ReceivedResponse {
  readonly status: number
  /** Lower-case names, without `date`. */
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends one request as it is; an object as the body is sent as a form. */
export async function sendRequest(url: string, sent: SentRequest = {}): Promise<ReceivedResponse> {
  const form = typeof sent.body === 'object' && !Buffer.isBuffer(sent.body)
  const body = form ? new URLSearchParams(sent.body as Record<string, string>).toString() : sent.body
  const agent = new Agent({ keepAlive: true })
  const outgoing = request(url, {
    agent,
    method: sent.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...sent.headers },
  })
  outgoing.end(body)
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const { date: _, ...headers } = response.headers
    return { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString('utf8') }
  } finally {
    agent.destroy()
  }
}

/** A Basic header; the halves are form-encoded, as RFC 6749 section 2.3.1 asks. */
export function basic(clientId: string, clientSecret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return rawBasic(`${encode(clientId)}:${encode(clientSecret)}`)
}

/** A Basic header over the text as it is. */
export function rawBasic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}
