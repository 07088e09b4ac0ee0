/** A request to check. */
export interface CheckRequest {
  /** Header lines in the form of Node's `rawHeaders`: name, value, name, value. */
  readonly headers: readonly string[]
  /** The method of the client's request. Read by rules only. */
  readonly method?: string | undefined
  /** The target of the client's request as received: path and query, not decoded. Read by rules only. */
  readonly path?: string | undefined
  /** Values that the proxy adds for a route. Read by rules only. Default: none. */
  readonly context?: Readonly<Record<string, string>> | undefined
  /**
   * Limit of the caller's wait, in milliseconds; at most `requestTimeoutMs`. Read only when a wait is needed. Default:
   * `requestTimeoutMs`.
   */
  readonly timeoutMs?: number | undefined
  /** Ends this caller's wait; `check` then rejects with the signal's reason. Read only when a wait is needed. */
  readonly signal?: AbortSignal | undefined
}
