import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { type CreateHttpServer, createPlainServer } from '../tls/listener-tls.ts'
import { type CheckEnvironment, type CheckMessage, rawTarget } from './check-app.ts'
import { listenerOptions } from './listener-options.ts'
import { probeHeaders, targetKind } from './raw-target.ts'

/** How long a refused client may take to close its side of the connection. */
const lingerMs = 500

/**
 * Creates the server that Envoy calls. The raw request target decides whether a request is a check, and only an allowed
 * check or the probe is ever answered with 200. `onUnknownTarget` is called with the headers of a request that is neither.
 */
export function createCheckListener(
  app: Hono<CheckEnvironment>,
  options: ServerOptions = listenerOptions,
  onUnknownTarget: (headers: readonly string[]) => void = () => {},
  createServer: CreateHttpServer = createPlainServer,
): Server {
  const answerCheck = getRequestListener((request, env) => app.fetch(request, env as HttpBindings))
  const answer: RequestListener = (incoming, outgoing) => {
    if (hasDoubtfulFraming(incoming)) {
      outgoing.setHeader('connection', 'close')
      answerText(incoming, outgoing, 400, 'bad request\n')
      return
    }
    switch (targetKind(incoming.url ?? '', incoming.rawHeaders)) {
      case 'check':
        // A check ignores the client's path and host, and the framework would refuse odd ones.
        // Rules read the original.
        ;(incoming as CheckMessage)[rawTarget] = incoming.url
        incoming.url = '/check'
        incoming.headers.host = 'check'
        // It answers every failure itself.
        void answerCheck(incoming, outgoing)
        break
      case 'probe':
        answerText(incoming, outgoing, 200, 'ok\n', probeHeaders)
        break
      case 'unknown':
        onUnknownTarget(incoming.rawHeaders)
        answerText(incoming, outgoing, 404, 'not found\n')
        break
    }
  }
  const server = createServer(options, answer)
  // The backend decides about `Expect`; Node would answer 417.
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  // Node silently drops headers beyond its maximum count, and a repeated credential header could be among them.
  server.maxHeadersCount = 0
  server.on('connect', (_request, socket) => answerAndClose(socket, '403 Forbidden'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A further error on a connection that was already answered.
    if (socket.writableEnded) return
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else answerAndClose(socket, statusOfParseError(error.code))
  })
  return server
}

/** Node notices after the headers were passed on, when the check may already be answered. */
function hasDoubtfulFraming({ headers }: IncomingMessage): boolean {
  const encoding = headers['transfer-encoding']
  return encoding !== undefined && encoding.toLowerCase() !== 'chunked'
}

function answerText(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  incoming.resume()
  outgoing.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': text.length,
    'cache-control': 'no-store',
    ...headers,
  })
  outgoing.end(text)
}

function statusOfParseError(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout'
  return '400 Bad Request'
}

/**
 * Answers on a connection without a request, and so without a response object. The listener's timeouts no longer apply
 * to such a connection: a client that never closes its side would hold it, and the process, forever.
 */
function answerAndClose(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  // Unread bytes turn the close into a reset, and the client could lose the answer.
  socket.resume()
  const linger = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(linger))
}
