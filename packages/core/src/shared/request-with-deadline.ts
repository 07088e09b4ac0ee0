/**
 * Runs a request that belongs to no caller. Only its own deadline or `abort` ends it, or the controller that it was given.
 *
 * At the deadline its signal aborts with a `DOMException` named `TimeoutError`.
 */
export class RequestWithDeadline<T> {
  readonly settled: Promise<T>
  readonly #controller: AbortController

  constructor(
    timeoutMs: number,
    run: (signal: AbortSignal) => Promise<T>,
    controller: AbortController = new AbortController(),
  ) {
    this.#controller = controller
    const timer = setTimeout(() => {
      controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'))
    }, timeoutMs)
    this.settled = run(controller.signal)
    const ended = () => clearTimeout(timer)
    // Handles a failure too: all callers may have left.
    this.settled.then(ended, ended)
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }
}
