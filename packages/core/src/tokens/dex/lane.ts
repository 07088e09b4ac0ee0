/** Somebody who waits for a slot. */
export interface Waiter {
  readonly client: string
  /** Calls the waiter in. */
  readonly enter: () => void
}

export interface LaneOptions {
  /** Slots that the lane may use at the same time. */
  readonly maxRunning: number
  /** And of these, by one client. */
  readonly maxRunningPerClient: number
  readonly maxWaiting: number
  readonly maxWaitingPerClient: number
}

/**
 * Requests of one kind: those that run, and those that wait for their turn. Clients take turns, and the requests of one
 * client keep their order, so nobody waits for more than one request of each other client.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #running = new Map<string, number>()
  /** The client whose turn it is comes first. */
  readonly #waiting = new Map<string, Set<Waiter>>()
  #runningCount = 0
  #waitingCount = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Whether a request of a client may run now, as far as this lane is concerned. Who waits may not, or would not wait. */
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

  /** Whether there is room to wait. */
  mayWait(client: string): boolean {
    const { maxWaiting, maxWaitingPerClient } = this.#options
    return this.#waitingCount < maxWaiting && this.#waitingOf(client) < maxWaitingPerClient
  }

  /** How long a request of a client would have to wait, when each takes `latencyMs`. */
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

  /** Takes the next one whose turn it is and who may run; its client goes to the end of the line. */
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
