export declare function findEnvoy(options?: {
  /** Allows a download when there is no Envoy. */
  fetch?: boolean
  /** Gets one line before a download. */
  say?: (line: string) => void
}): Promise<{ path: string; reason?: undefined } | { path: undefined; reason: string }>
