import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type Listening, listening } from '@broker/testing'

const badGateway = '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>'

/** The public name of Dex. */
export interface CaddyStandIn extends Listening {
  /** The port of Dex. */
  upstreamPort: number
  /** Answers that it gave itself, because Dex was unavailable. */
  readonly badGateways: number
}

/** Starts a reverse proxy that answers as Caddy does with an error page: 502 with HTML while Dex is unavailable. */
export async function startCaddyStandIn(): Promise<CaddyStandIn> {
  let upstreamPort = 0
  let badGateways = 0
  const server = await listening((incoming, outgoing) => {
    const upstream = forwarded(incoming, outgoing, upstreamPort)
    upstream.once('error', () => {
      badGateways++
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502, { 'content-type': 'text/html; charset=utf-8' }).end(badGateway)
    })
    incoming.pipe(upstream)
  })
  return {
    ...server,
    get upstreamPort() {
      return upstreamPort
    },
    set upstreamPort(port) {
      upstreamPort = port
    },
    get badGateways() {
      return badGateways
    },
  }
}

function forwarded(incoming: IncomingMessage, outgoing: ServerResponse, port: number): ClientRequest {
  const { method, url: path, headers } = incoming
  return request({ host: '127.0.0.1', port, method, path, headers, agent: false }, answer => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(outgoing)
  })
}
