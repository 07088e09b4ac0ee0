/** A request that waits for a slot. */
export interface Waiter {
  readonly client: string
  /** Gives the slot to the waiter. */
  readonly enter: () => void
}

export interface LaneOptions {
  /** Limit of slots for the lane. */
  readonly maxRunning: number
  /** Limit of slots for one client. */
  readonly maxRunningPerClient: number
  readonly maxWaiting: number
  readonly maxWaitingPerClient: number
}

/**
 * Requests of one kind, running and waiting. Clients take turns, and the requests of one client keep their order, so that a
 * request waits for at most one request of each other client.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #running = new Map<string, number>()
  /** In the order of turns. */
  readonly #waiting = new Map<string, Set<Waiter>>()
  #runningCount = 0
  #waitingCount = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waitingCount
  }

  /** Tells whether the lane has a free slot for a client. */
  hasRoomFor(client: string): boolean {
    const { maxRunning, maxRunningPerClient } = this.#options
    return this.#runningCount < maxRunning && (this.#running.get(client) ?? 0) < maxRunningPerClient
  }

  start(client: string): void {
    this.#running.set(client, (this.#running.get(client) ?? 0) + 1)
    this.#runningCount++
  }

  end(client: string): void {
    const left = (this.#running.get(client) ?? 1) - 1
    if (left > 0) this.#running.set(client, left)
    else this.#running.delete(client)
    this.#runningCount--
  }

  /** Tells whether the queue has room for a client. */
  mayWait(client: string): boolean {
    const { maxWaiting, maxWaitingPerClient } = this.#options
    return this.#waitingCount < maxWaiting && this.#waitingOf(client) < maxWaitingPerClient
  }

  /** Estimates the wait of a client's next request when each request takes `latencyMs`. */
  expectedWaitMs(client: string, latencyMs: number): number {
    const { maxRunning, maxRunningPerClient } = this.#options
    const own = this.#waitingOf(client) + 1
    const clients = this.#waiting.size + (own === 1 ? 1 : 0)
    const turns = Math.min(this.#waitingCount + 1, own * clients)
    return Math.max(turns / maxRunning, own / maxRunningPerClient) * latencyMs
  }

  add(waiter: Waiter): void {
    const queue = this.#waiting.get(waiter.client) ?? new Set()
    queue.add(waiter)
    this.#waiting.set(waiter.client, queue)
    this.#waitingCount++
  }

  remove(waiter: Waiter): void {
    const queue = this.#waiting.get(waiter.client)
    if (!queue?.delete(waiter)) return
    this.#waitingCount--
    if (queue.size === 0) this.#waiting.delete(waiter.client)
  }

  /** Removes the next waiter that may run; its client goes to the end of the queue. */
  next(): Waiter | undefined {
    if (this.#runningCount >= this.#options.maxRunning) return undefined
    for (const [client, queue] of this.#waiting) {
      if (!this.hasRoomFor(client)) continue
      const [waiter] = queue
      if (waiter === undefined) continue
      this.remove(waiter)
      if (queue.size > 0) {
        this.#waiting.delete(client)
        this.#waiting.set(client, queue)
      }
      return waiter
    }
    return undefined
  }

  #waitingOf(client: string): number {
    return this.#waiting.get(client)?.size ?? 0
  }
}
