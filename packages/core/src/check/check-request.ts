/** A request to check. */
export interface CheckRequest {
  /** Header lines in the form of Node's `rawHeaders`: name, value, name, value. */
  readonly headers: readonly string[]
  /**
   * Limit of the caller's wait, in milliseconds; at most `requestTimeoutMs`. Read only when a wait is needed. Default:
   * `requestTimeoutMs`.
   */
  readonly timeoutMs?: number | undefined
  /** Ends this caller's wait; `check` then rejects with the signal's reason. Read only when a wait is needed. */
  readonly signal?: AbortSignal | undefined
}
