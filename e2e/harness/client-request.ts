import { type RawAnswer, RawConnection } from './raw-connection.ts'

/** A request as a client writes it; nothing is encoded, normalised or added but Host. */
export interface ClientRequest {
  readonly method?: string
  readonly target?: string
  /** A list of lines when a name is to be repeated. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  readonly body?: string | Buffer
}

/** The bytes of a request. `content-length` is added for a body, unless `transfer-encoding` is given. */
export function requestBytes({ method = 'GET', target = '/', headers = {}, body }: ClientRequest): Buffer {
  const lines = Array.isArray(headers) ? [...headers] : Object.entries(headers)
  const names = new Set(lines.map(([name]) => name.toLowerCase()))
  if (!names.has('host')) lines.unshift(['host', 'orders.example.com'])
  const content = Buffer.from(body ?? '')
  if (body !== undefined && !names.has('transfer-encoding') && !names.has('content-length')) {
    lines.push(['content-length', String(content.length)])
  }
  const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), content])
}

/** Sends a request on a connection of its own; `undefined` when the connection ends without an answer. */
export async function send(port: number, request: ClientRequest): Promise<RawAnswer | undefined> {
  using connection = await RawConnection.open(port)
  connection.write(requestBytes(request))
  return await connection.answer(request.method)
}

/** The same for a request that must be answered. */
export async function ask(port: number, request: ClientRequest): Promise<RawAnswer> {
  const answer = await send(port, request)
  if (answer === undefined) throw new Error('the connection ended without an answer')
  return answer
}
