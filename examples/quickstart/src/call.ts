import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

const timeoutMs = 15_000

/** A request as a client makes it. */
export interface Call {
  readonly method?: string
  /** Sent as it is; `fetch` would resolve its dot segments. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What came back. */
export interface CallAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly milliseconds: number
}

/** Makes a request on a connection of its own. */
export async function call(url: string, { method, path, headers, body }: Call): Promise<CallAnswer> {
  const { hostname, port } = new URL(url)
  const start = performance.now()
  const answer = await new Promise<Omit<CallAnswer, 'milliseconds'>>((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const options = { hostname, port, agent: false, signal, method: method ?? 'GET', path: path ?? '/' }
    request({ ...options, headers: { ...headers } }, incoming => {
      const { statusCode: status = 0, headers: answered } = incoming
      text(incoming).then(read => resolve({ status, headers: answered, body: read }), reject)
    })
      .on('error', reject)
      .end(body)
  })
  return { ...answer, milliseconds: performance.now() - start }
}
