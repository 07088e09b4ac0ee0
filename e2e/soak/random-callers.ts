import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const tickMs = 10
/** More than this many unanswered requests are not made: the soak must not run out of memory itself. */
const maxUnanswered = 2_000
const requestTimeoutMs = 30_000

/** A request of the soak: its headers, and after how long the client leaves, if it does. */
export interface SoakRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly leavesAfterMs?: number | undefined
  /** Whether its client authenticates as it should. */
  readonly isGood: boolean
}

/** Requests at a steady rate; counts what becomes of them and keeps nothing else. */
export class RandomCallers {
  asked = 0
  answered = 0
  left = 0
  skipped = 0
  /** Of the good ones that were answered: how many were not 200. */
  refusedGood = 0
  /** Bad ones that passed: there must be none. */
  passedBad = 0
  readonly outcomes: Record<string, number> = {}
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 })
  readonly #port: number
  readonly #next: () => SoakRequest

  constructor(port: number, next: () => SoakRequest) {
    this.#port = port
    this.#next = next
  }

  async run(perSecond: number, lastsMs: number): Promise<void> {
    const startedAt = performance.now()
    let due = 0
    while (performance.now() - startedAt < lastsMs) {
      const next = Math.ceil(((performance.now() - startedAt) / 1000) * perSecond)
      for (; due < next; due++) {
        if (this.asked - this.answered - this.left < maxUnanswered) this.#ask()
        else this.skipped++
      }
      await delay(tickMs)
    }
  }

  /** Waits until everything is answered; says whether that happened in time. */
  async finish(): Promise<boolean> {
    const deadline = performance.now() + requestTimeoutMs + 5_000
    while (this.answered + this.left < this.asked && performance.now() < deadline) await delay(50)
    this.#agent.destroy()
    return this.answered + this.left === this.asked
  }

  #ask(): void {
    const { headers, leavesAfterMs, isGood } = this.#next()
    this.asked++
    const options = { host: '127.0.0.1', port: this.#port, path: '/check/soak', agent: this.#agent, headers }
    let isOver = false
    const end = (outcome: string) => {
      if (isOver) {
        this.#count('answered twice')
        return
      }
      isOver = true
      clearTimeout(leaving)
      clearTimeout(patience)
      if (outcome === 'left') this.left++
      else this.answered++
      this.#count(outcome)
      if (isGood && outcome !== '200' && outcome !== 'left') this.refusedGood++
      if (!isGood && outcome === '200') this.passedBad++
    }
    const sent = request(options, answer => {
      answer.resume().once('end', () => end(String(answer.statusCode)))
      answer.once('error', error => {
        if (!isOver) end((error as NodeJS.ErrnoException).code ?? error.name)
      })
    })
    sent.once('error', error => {
      if (!isOver) end((error as NodeJS.ErrnoException).code ?? error.name)
    })
    const leaving =
      leavesAfterMs === undefined
        ? undefined
        : setTimeout(() => {
            if (isOver) return
            end('left')
            sent.destroy()
          }, leavesAfterMs)
    const patience = setTimeout(() => {
      if (isOver) return
      end('no answer')
      sent.destroy()
    }, requestTimeoutMs)
    sent.end()
  }

  #count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
  }
}
