/**
 * Runs a request that belongs to no caller: its own deadline ends it, or `close`, and nothing else.
 *
 * The signal aborts with a `DOMException` named `TimeoutError` at the deadline.
 */
export class RequestWithDeadline<T> {
  readonly settled: Promise<T>
  readonly #controller = new AbortController()

  constructor(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>) {
    const timer = setTimeout(() => {
      this.#controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'))
    }, timeoutMs)
    this.settled = run(this.#controller.signal).finally(() => clearTimeout(timer))
    // Every waiter may have left by the time this fails.
    this.settled.catch(() => {})
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }
}
