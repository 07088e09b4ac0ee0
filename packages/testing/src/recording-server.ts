import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Listening extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** TCP connections that are open now. */
  openConnections(): Promise<number>
}

/** Serves on 127.0.0.1, on a free port unless one is given. */
export async function listening(listener: RequestListener | Server, wantedPort = 0): Promise<Listening> {
  const server = typeof listener === 'function' ? createServer(listener) : listener
  server.listen(wantedPort, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    openConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Names as they were sent. */
  readonly lines: readonly string[]
  readonly body: string
}

/** Answers a request, or never does. */
export type AnswerRequest = (request: ReceivedRequest, response: ServerResponse) => void

/** A server that keeps what it receives. */
export interface RecordingServer extends Listening {
  readonly requests: readonly ReceivedRequest[]
  /** Requests that are neither answered nor given up. */
  readonly underWay: number
  /** Replaces how requests are answered from now on. */
  answer: AnswerRequest
}

/** Starts one on a free port of loopback; it answers `ok` unless told otherwise. */
export async function startRecordingServer(
  answer: AnswerRequest = (_, response) => response.end('ok'),
): Promise<RecordingServer> {
  const requests: ReceivedRequest[] = []
  let underWay = 0
  const server = await listening(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    const request = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers: message.headers,
      lines: message.rawHeaders.filter((_, index) => index % 2 === 0),
      body: Buffer.concat(chunks).toString('latin1'),
    }
    requests.push(request)
    underWay++
    response.once('close', () => underWay--)
    running.answer(request, response)
  })
  const running: RecordingServer = {
    ...server,
    requests,
    get underWay() {
      return underWay
    },
    answer,
  }
  return running
}

/** Answers everything with this JSON text, or with this value as JSON. */
export function answerJson(
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): AnswerRequest {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }
}
