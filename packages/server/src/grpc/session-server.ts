import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { ListenerTls } from '../tls/listener-tls.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import { serverOptions } from './server-options.ts'

/** Takes a new connection; `socket` is absent with TLS, where nothing can be written past the session. */
export type OnSession = (session: ServerHttp2Session, socket?: Socket) => void

/** Creates a server of HTTP/2 within the limits, with TLS if that is given. */
export function sessionServer(
  limits: GrpcLimits,
  tls: ListenerTls | undefined,
  onSession: OnSession,
): Http2Server | Http2SecureServer {
  return tls === undefined ? plainServer(limits, onSession) : secureServer(limits, tls, onSession)
}

function plainServer(limits: GrpcLimits, onSession: OnSession): Http2Server {
  const server = createServer(serverOptions(limits))
  let accepted: Socket | undefined
  // Before the listener of Node, which makes the session at once.
  server.prependListener('connection', (socket: Socket) => {
    accepted = socket
  })
  server.on('session', session => onSession(session, accepted))
  return server
}

function secureServer(limits: GrpcLimits, tls: ListenerTls, onSession: OnSession): Http2SecureServer {
  const server = createSecureServer({ ...serverOptions(limits), ...tls.options })
  tls.guard(server)
  server.on('session', session => onSession(session))
  return server
}
