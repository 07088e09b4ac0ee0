import { createServer, request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { TlsIdentity } from './certificate-authority.ts'
import { type Listening, listening } from './recording-server.ts'

export interface ForwardProxyOptions {
  /** The proxy itself speaks TLS. */
  readonly tls?: TlsIdentity
  /** `user:password` that it requires. */
  readonly credentials?: string
}

/** A forward proxy for whose clients every name is 127.0.0.1, so that a request to a made-up name proves that it came through here. */
export interface ForwardProxy extends Listening {
  /** The targets of CONNECT, and the URLs of other requests, in their order; refused ones too. */
  readonly asked: readonly string[]
  /** How many tunnels are open. */
  readonly tunnels: number
  /** Answers with a status in place of forwarding; `hang` never answers, `undefined` forwards again. */
  answer(how: number | 'hang' | undefined): void
}

/** Starts a proxy on 127.0.0.1. */
export async function startForwardProxy({
  tls,
  credentials,
}: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const asked: string[] = []
  const tunnels = new Set<Socket>()
  const sockets = new Set<Socket>()
  let how: number | 'hang' | undefined
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const statusFor = (authorization: string | undefined) =>
    expected === undefined || authorization === expected ? how : 407

  const server = tls ? createTlsServer(tls) : createServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
  })
  server.on('request', (incoming, outgoing) => {
    asked.push(incoming.url ?? '')
    const status = statusFor(incoming.headers['proxy-authorization'])
    if (status === 'hang') return
    if (status !== undefined) {
      outgoing.writeHead(status).end()
      return
    }
    const { port, pathname, search } = new URL(incoming.url ?? '')
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const forwarded = request(
      { host: '127.0.0.1', port, path: pathname + search, method: incoming.method, headers },
      answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    forwarded.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(forwarded)
  })
  server.on('connect', (incoming, near: Socket) => {
    asked.push(incoming.url ?? '')
    near.on('error', () => {})
    const status = statusFor(incoming.headers['proxy-authorization'])
    if (status === 'hang') return
    if (status !== undefined) {
      near.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const far = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1')
    tunnels.add(near)
    const end = () => {
      tunnels.delete(near)
      near.destroy()
      far.destroy()
    }
    far.on('error', end).on('close', end)
    near.on('close', end)
    far.once('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      near.pipe(far).pipe(near)
    })
  })
  const open = await listening(server as Parameters<typeof listening>[0])
  return {
    ...open,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${open.port}`,
    asked,
    get tunnels() {
      return tunnels.size
    },
    answer(wanted) {
      how = wanted
    },
    async [Symbol.asyncDispose]() {
      // The server does not count a connection after CONNECT as its own.
      for (const socket of sockets) socket.destroy()
      await open[Symbol.asyncDispose]()
    },
  }
}
