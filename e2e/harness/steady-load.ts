import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { credentials } from './dex.ts'

const tickMs = 20
const requestTimeoutMs = 15_000
const longestLoadMs = 60_000

/** How often each outcome was seen: the status, or the code of what broke the request. */
export type Outcomes = Readonly<Record<string, number>>

/** Requests with good credentials at a steady rate, whatever becomes of those before; it stops when told, or after a minute. */
export class SteadyLoad implements AsyncDisposable {
  readonly #outcomes: Record<string, number> = {}
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 100 })
  readonly #running: Promise<void>
  #stopped = false

  constructor(port: number, requestsPerSecond: number) {
    this.#running = this.#run(port, (requestsPerSecond * tickMs) / 1000)
  }

  /** Requests that were answered 200 until now. */
  get succeeded(): number {
    return this.#outcomes['200'] ?? 0
  }

  /** Waits for every answer that is still out; tells all outcomes. */
  async stop(): Promise<Outcomes> {
    this.#stopped = true
    await this.#running
    this.#agent.destroy()
    return this.#outcomes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(port: number, requestsPerTick: number): Promise<void> {
    const startedAt = performance.now()
    const requests: Promise<void>[] = []
    while (!this.#stopped && performance.now() - startedAt < longestLoadMs) {
      // By the clock, because a busy machine lets ticks come late.
      const due = Math.ceil(((performance.now() - startedAt) / tickMs) * requestsPerTick)
      while (requests.length < due) requests.push(this.#request(port))
      // real time: the pace of the load
      await delay(tickMs)
    }
    await Promise.all(requests)
  }

  async #request(port: number): Promise<void> {
    const outcome = await new Promise<string>(resolve => {
      const signal = AbortSignal.timeout(requestTimeoutMs)
      request(
        { port, host: '127.0.0.1', agent: this.#agent, path: '/orders', headers: credentials, signal },
        answer => {
          answer.resume().once('end', () => resolve(String(answer.statusCode)))
          answer.once('error', error => resolve(String((error as NodeJS.ErrnoException).code)))
        },
      )
        .once('error', error => resolve(String((error as NodeJS.ErrnoException).code)))
        .end()
    })
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
  }
}
