import type { Dispatcher } from 'undici'

/**
 * The one controller that the caller's handler sees, whatever connection the request is on: a second dispatch brings
 * a controller of its own, and pausing or aborting the first one would reach nobody.
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

  /** Whether the caller's handler wants nothing more for now, whatever the connection does. */
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
