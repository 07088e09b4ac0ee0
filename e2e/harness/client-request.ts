import { RawConnection } from '@broker/testing'

const answerTimeoutMs = 20_000

/** An answer as it came over the wire. */
export interface ClientAnswer {
  readonly status: number
  /** By lower-case name; repeated lines joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

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

/** Sends a request on a new connection; `undefined` when the connection ends without an answer. */
export async function send(port: number, request: ClientRequest): Promise<ClientAnswer | undefined> {
  await using connection = await RawConnection.open(port)
  connection.write(requestBytes(request))
  return await answerOn(connection, request.method)
}

/** The next answer on a connection; `undefined` when it ends without one. */
export async function answerOn(connection: RawConnection, method = 'GET'): Promise<ClientAnswer | undefined> {
  const answer = await connection
    .answer({ toHead: method === 'HEAD', deadlineMs: answerTimeoutMs })
    .catch(error => {
      if (connection.ended) return undefined
      throw error
    })
  if (answer === undefined) return undefined
  const headers: Record<string, string> = {}
  for (const [name, value] of answer.headers) {
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: answer.status, headers, body: answer.body }
}

/** The same for a request that must be answered. */
export async function ask(port: number, request: ClientRequest): Promise<ClientAnswer> {
  const answer = await send(port, request)
  if (answer === undefined) throw new Error('the connection ended without an answer')
  return answer
}
