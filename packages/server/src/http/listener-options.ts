import type { ServerOptions } from 'node:http'

/** How a listener deals with connections; each number against a failure seen behind Envoy. */
export const listenerOptions: ServerOptions = {
  /** Envoy accepts 60 KiB; Node's 16 KiB would refuse a legal JWT with 431. */
  maxHeaderSize: 64 * 1024,
  /** Node's 5 s make Envoy reuse connections that are being closed: sporadic refusals. */
  keepAliveTimeout: 75_000,
  /** A client that sends its headers byte by byte holds a connection no longer. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Node looks for the two above every 30 s otherwise. */
  connectionsCheckingInterval: 1_000,
  /** A request without `Host` is answered by us and not by Node. */
  requireHostHeader: false,
}
