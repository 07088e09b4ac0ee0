import type { Span } from './tracer.ts'

/** How long one caller waits for work that it shares with others. */
export interface Wait {
  /** Ends this caller's wait with the signal's reason; the shared work continues. */
  readonly signal?: AbortSignal | undefined
  /** Limit of this caller's wait, in milliseconds. Default: as long as the shared work, which `requestTimeoutMs` limits. */
  readonly timeoutMs?: number | undefined
  /** The caller's span: the parent of a request that the call starts, and linked to the span of the caller whose token request it joins. */
  readonly span?: Span | undefined
}

/** The rest of a wait after some milliseconds of it. */
export function remainingWait({ signal, timeoutMs }: Wait, elapsedMs: number): Wait {
  return { signal, timeoutMs: timeoutMs && Math.max(1, timeoutMs - elapsedMs) }
}

/** The longest delay of a Node timer, in milliseconds; a longer one fires at once. */
const maxTimerMs = 2 ** 31 - 1

/**
 * Waits for a shared promise on behalf of one caller. An abort or a timeout of this caller ends no other caller's wait. `ended` is
 * called at the end of the wait.
 *
 * Removes its listeners by hand: `AbortSignal.any` with a long-lived signal leaks memory in Node.
 */
export function waitFor<T>(
  shared: Promise<T>,
  { signal, timeoutMs }: Wait,
  timedOut: () => Error,
  ended?: () => void,
): Promise<T> {
  if (signal === undefined && timeoutMs === undefined) {
    if (ended !== undefined) shared.then(ended, ended)
    return shared
  }
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      // Perhaps nobody else waits for it, and its rejection would end the process.
      shared.catch(() => {})
      ended?.()
      reject(signal.reason)
      return
    }
    const leave = () => {
      ended?.()
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = () => {
      leave()
      reject(signal?.reason)
    }
    const onTimeout = () => {
      leave()
      reject(timedOut())
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, Math.min(timeoutMs, maxTimerMs))
    signal?.addEventListener('abort', onAbort)
    shared.then(
      value => {
        leave()
        resolve(value)
      },
      error => {
        leave()
        reject(error)
      },
    )
  })
}
