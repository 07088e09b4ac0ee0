import type { Clock } from '../shared/clock.ts'
import type { Span } from '../shared/tracer.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { CheckRequest } from './check-request.ts'

type Timing = Pick<CheckRequest, 'signal' | 'timeoutMs' | 'span'>

/**
 * One deadline for all waits of a check. It starts with the first wait, because the time before it is negligible. Reads the
 * signal late: most checks do not wait, and creating a signal can cost more than the rest of the check.
 */
export class CheckWait implements Wait {
  readonly #request: Timing
  readonly #maxMs: number
  readonly #clock: Clock
  #endsAt: number | undefined

  constructor(request: Timing, maxMs: number, clock: Clock) {
    this.#request = request
    this.#maxMs = maxMs
    this.#clock = clock
  }

  get signal(): AbortSignal | undefined {
    return this.#request.signal
  }

  get span(): Span | undefined {
    return this.#request.span
  }

  get timeoutMs(): number {
    const now = this.#clock.monotonic()
    this.#endsAt ??= now + Math.min(this.#request.timeoutMs ?? this.#maxMs, this.#maxMs)
    return Math.max(1, this.#endsAt - now)
  }
}
