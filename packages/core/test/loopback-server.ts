import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers a request, or never does. */
export type AnswerRequest = (request: ReceivedRequest, response: ServerResponse) => void

export interface LoopbackServer extends AsyncDisposable {
  readonly url: string
  /** Everything that has arrived. */
  readonly requests: readonly ReceivedRequest[]
  /** Replaces how requests are answered from now on. */
  answer: AnswerRequest
}

/** A plain HTTP server on a free port of loopback. */
export async function startLoopbackServer(answer: AnswerRequest): Promise<LoopbackServer> {
  const requests: ReceivedRequest[] = []
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    const request = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers: message.headers,
      body: Buffer.concat(chunks).toString('latin1'),
    }
    requests.push(request)
    running.answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const running: LoopbackServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
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

/** A port of loopback on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
