import type { ServerOptions } from 'node:http'

/** Connection settings of the check listener; each number prevents a failure seen behind Envoy. */
export const listenerOptions: ServerOptions = {
  /** Envoy accepts 60 KiB; Node's 16 KiB would refuse a legal JWT with 431. */
  maxHeaderSize: 64 * 1024,
  /** With Node's 5 s, Envoy reuses connections that are being closed, and some checks are refused. */
  keepAliveTimeout: 75_000,
  /** Limits how long a client that sends headers byte by byte holds a connection. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Node's default for checking the two limits above is 30 s. */
  connectionsCheckingInterval: 1_000,
  /** The broker answers a request without `Host`, not Node. */
  requireHostHeader: false,
}
