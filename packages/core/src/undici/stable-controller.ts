import type { Dispatcher } from 'undici'

/**
 * The controller that the caller's handler sees, over both dispatches. A second dispatch has another controller, so that
 * pausing or aborting the first one would have no effect.
 */
export class StableController implements Dispatcher.DispatchController {
  readonly #onAbort: (reason: Error) => void
  #target: Dispatcher.DispatchController | undefined
  #paused = false
  #aborted = false
  #reason: Error | null = null

  constructor(onAbort: (reason: Error) => void) {
    this.#onAbort = onAbort
  }

  /** The controller of the dispatch under way, once it has started. */
  get target(): Dispatcher.DispatchController | undefined {
    return this.#target
  }

  set target(target: Dispatcher.DispatchController | undefined) {
    this.#target = target
    if (this.#paused) target?.pause()
  }

  get aborted(): boolean {
    return this.#aborted || (this.#target?.aborted ?? false)
  }

  /** Whether the caller's handler has paused the response. */
  get pausedByHandler(): boolean {
    return this.#paused
  }

  get paused(): boolean {
    return this.#paused || (this.#target?.paused ?? false)
  }

  get reason(): Error | null {
    return this.#aborted ? this.#reason : (this.#target?.reason ?? null)
  }

  get rawHeaders(): NonNullable<Dispatcher.DispatchController['rawHeaders']> | null {
    return this.#target?.rawHeaders ?? null
  }

  get rawTrailers(): NonNullable<Dispatcher.DispatchController['rawTrailers']> | null {
    return this.#target?.rawTrailers ?? null
  }

  abort(reason: Error): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    this.#onAbort(reason)
  }

  pause(): void {
    this.#paused = true
    this.#target?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#target?.resume()
  }
}
