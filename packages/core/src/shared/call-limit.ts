/** Limits the calls of a function that run at a time. The others wait, the first one first. */
export class CallLimit {
  readonly #maxRunning: number
  /** Starts a call; in the order of arrival. */
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning
  }

  /** Whether the next call would not wait. */
  get hasRoom(): boolean {
    return this.#running < this.#maxRunning
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Makes a call in its turn. Rejects with the signal's reason while it waits, else like the call. */
  async run<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.hasRoom) this.#running++
    else await this.#turn(signal)
    try {
      return await call()
    } finally {
      this.#passOn()
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.delete(start)
        reject(signal?.reason)
      }
      if (signal?.aborted) return leave()
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.add(start)
    })
  }

  /** The next call takes over the place of one that ended. */
  #passOn(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
