/** The requests, their target, and the duration. */
export interface Load {
  readonly port: number
  /** Whole requests, NUL between them, sent in this order and then over again. */
  readonly requestsFile: string
  /** The index of the request to begin with. */
  readonly firstRequest: number
  readonly connections: number
  readonly seconds: number
  /** Default: no TLS. wrk does not know it. */
  readonly tls?: LoadTls | undefined
}

/** The certificates of a load over TLS. */
export interface LoadTls {
  /** A name in the server's certificate. */
  readonly name: string
  /** The authority of the server, PEM. */
  readonly ca: string
  /** The caller's own certificate and its key, PEM; absent without mutual TLS. */
  readonly cert?: string
  readonly key?: string
}

/** The measured result of a load. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Answers that were not 200, connections that failed, and answers that did not come. */
  readonly errors: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number }
  /** CPU time of the load generator itself, to show that it was not the bottleneck. */
  readonly generatorCpuSeconds: number
}

/** A tool that keeps each of its connections busy with one request after the other. */
export interface LoadGenerator {
  readonly name: string
  /** `onOpen` is called when all connections are open, and before the first request; wrk does not call it. */
  run(load: Load, onOpen?: () => void): Promise<LoadResult>
}
