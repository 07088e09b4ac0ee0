import type { createServer as createHttpServer, RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { type CreateHttpServer, createPlainServer } from '../tls/listener-tls.ts'
import type { AdminEnvironment } from './admin-environment.ts'
import { ConnectionSlots } from './connection-slots.ts'

/** Enough for probes, a few Prometheus servers and people. */
const maxConnections = 64

/**
 * Creates the server of the admin app. Anybody on the network may reach it, so it must never delay a check: connections are bounded, and
 * each has one request at a time. A new connection takes the slot of another, so that nobody keeps probes out. Pipelined requests, which no
 * probe or scraper sends, end the connection.
 */
export function createAdminListener(
  app: Hono<AdminEnvironment>,
  createServer: CreateHttpServer = createPlainServer,
): Server {
  const serverOptions = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 }
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer: createServer as typeof createPlainServer & typeof createHttpServer,
    serverOptions,
  }) as Server
  const slots = new ConnectionSlots(maxConnections)
  // With TLS, connections before the end of their handshake have a limit already.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) =>
    slots.take(socket),
  )
  const answer = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  server.on('request', (incoming, outgoing) => {
    const { socket } = incoming
    if (socket.destroyed) return
    if (!slots.begin(socket)) {
      socket.destroy()
      return
    }
    outgoing.once('close', () => slots.finish(socket))
    for (const listener of answer) listener.call(server, incoming, outgoing)
  })
  return server
}
