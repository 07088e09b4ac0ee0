/** How long, and until whose abort, one caller waits for work that it shares with others. */
export interface Wait {
  /** Rejects this caller with the signal's own reason; the shared work goes on. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds; `undefined` waits as long as the shared work takes, which is bounded itself. */
  readonly timeoutMs?: number | undefined
}

/** A timer of Node holds no more, in milliseconds; it would fire at once. */
const maxTimerMs = 2 ** 31 - 1

/**
 * One caller's view of a shared promise. Leaving early, by abort or by deadline, ends nobody else's wait.
 *
 * Listeners are removed by hand: combining with a long-lived signal through `AbortSignal.any` leaks memory in Node.
 */
export function waitFor<T>(shared: Promise<T>, wait: Wait, timedOut: () => Error): Promise<T> {
  const { signal, timeoutMs } = wait
  if (signal === undefined && timeoutMs === undefined) return shared
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const leave = () => {
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
