/** The requests, their target, and the duration. */
export interface Load {
  readonly port: number
  /** Whole requests, NUL between them, sent in this order and then over again. */
  readonly requestsFile: string
  /** The index of the request to begin with. */
  readonly firstRequest: number
  readonly connections: number
  readonly seconds: number
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
  run(load: Load): Promise<LoadResult>
}
