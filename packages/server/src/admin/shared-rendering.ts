const windowMs = 1_000
/** More than scrapers and people need, at a few hundredths of the time of one core. */
const maxRenderings = 50

/**
 * A text that is expensive to render. Requests that arrive during a rendering share it, and beyond 50 renderings in a
 * second the last one is repeated, so that a flood of requests costs no more than that.
 */
export class SharedRendering {
  readonly #render: () => Promise<string>
  readonly #now: () => number
  #pending: Promise<string> | undefined
  #last: Promise<string> | undefined
  #windowEndsAt = Number.NEGATIVE_INFINITY
  #renderings = 0

  /** `now` is a monotonic clock in milliseconds. */
  constructor(render: () => Promise<string>, now: () => number = () => performance.now()) {
    this.#render = render
    this.#now = now
  }

  text(): Promise<string> {
    if (this.#pending !== undefined) return this.#pending
    const now = this.#now()
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + windowMs
      this.#renderings = 0
    }
    if (this.#last !== undefined && this.#renderings >= maxRenderings) return this.#last
    this.#renderings++
    this.#last = this.#pending = this.#render().finally(() => {
      this.#pending = undefined
    })
    return this.#last
  }
}
