/** A request that asks to be let through. */
export interface CheckRequest {
  /** Header lines as `rawHeaders` of Node gives them: name, value, name, value. */
  readonly headers: readonly string[]
  /** How long the caller waits for the verdict, in milliseconds; at most `requestTimeoutMs`, its default. Read only when there is a wait. */
  readonly timeoutMs?: number | undefined
  /** Aborts this caller's wait: `check` then rejects with the signal's reason. Read only when there is a wait. */
  readonly signal?: AbortSignal | undefined
}
