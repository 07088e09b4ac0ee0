import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import type { AdminEnvironment } from './admin-environment.ts'

/** Enough for probes, a few Prometheus servers and people. */
const maxConnections = 64

/**
 * Creates the server of the admin app. Anybody on the network may reach it, so it must never delay a check: connections
 * are bounded, and each has one request at a time. Pipelined requests, which no probe or scraper sends, end the
 * connection.
 */
export function createAdminListener(app: Hono<AdminEnvironment>): Server {
  const serverOptions = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 }
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server
  server.maxConnections = maxConnections
  const busy = new WeakSet<Socket>()
  const answer = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  server.on('request', (incoming, outgoing) => {
    const { socket } = incoming
    if (socket.destroyed) return
    if (busy.has(socket)) {
      socket.destroy()
      return
    }
    busy.add(socket)
    outgoing.once('close', () => busy.delete(socket))
    for (const listener of answer) listener.call(server, incoming, outgoing)
  })
  return server
}
