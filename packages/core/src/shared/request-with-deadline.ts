/**
 * Runs a request that belongs to no caller. Only its own deadline or `abort` ends it.
 *
 * At the deadline its signal aborts with a `DOMException` named `TimeoutError`.
 */
export class RequestWithDeadline<T> {
  readonly settled: Promise<T>
  readonly #controller = new AbortController()

  constructor(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>) {
    const timer = setTimeout(() => {
      this.#controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'))
    }, timeoutMs)
    this.settled = run(this.#controller.signal).finally(() => clearTimeout(timer))
    // When this fails, all callers may have left.
    this.settled.catch(() => {})
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }
}
