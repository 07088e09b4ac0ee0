import { expect } from 'vitest'
import { type CheckAnswer, CheckLoad, printMeasured, tally } from '../checks.ts'
import { headersOf, type Replicas, storeClients, wrongTokens } from './replicas.ts'

const perSecond = 200
const circuitMetric = 'dex_token_broker_shared_store_circuit_open'
const requestMetric = 'dex_token_broker_token_request_duration_seconds_count'

/** Clients in the order in which they join the load. */
export const clients = storeClients(90)
/** Those whose tokens the brokers have when the load starts. */
const firstClients = 60

/** Checks for a growing number of clients, spread over brokers with one store, and what they led to. */
export class StoreLoad implements AsyncDisposable {
  readonly #replicas: Replicas
  readonly #load: CheckLoad
  #active = firstClients

  static async start(replicas: Replicas): Promise<StoreLoad> {
    await replicas.warmUp(clients.slice(0, firstClients))
    return new StoreLoad(replicas)
  }

  private constructor(replicas: Replicas) {
    this.#replicas = replicas
    this.#load = new CheckLoad(replicas, {
      perSecond,
      headersOf: () => headersOf(clients[Math.floor(Math.random() * this.#active)] ?? { id: '' }),
    })
  }

  /** Adds clients whose tokens nobody has. */
  addClients(count: number): void {
    this.#active = Math.min(this.#active + count, clients.length)
  }

  answered(count: number): Promise<void> {
    return this.#load.answered(count)
  }

  /** Resolves when so many answers in a row are right; with the last wrong one. */
  async inARow(count: number, isRight: (answer: CheckAnswer) => boolean): Promise<CheckAnswer | undefined> {
    const { answers } = this.#replicas
    let next = answers.length
    let right = 0
    let wrong: CheckAnswer | undefined
    while (right < count) {
      await this.answered(20)
      for (const answer of answers.slice(next)) {
        if (isRight(answer)) right++
        else [right, wrong] = [0, answer]
        next++
      }
    }
    return wrong
  }

  /**
   * Lets something happen and 600 more checks be answered; expects that none is lost, and prints what it cost. Returns how many calls of
   * the store failed or were left out.
   */
  async during(what: string, happens: () => Promise<unknown>, ends?: () => unknown): Promise<number> {
    const first = this.#replicas.answers.length
    const before = await this.#counts()
    await happens()
    await this.answered(400)
    await ends?.()
    await this.answered(200)
    const after = await this.#counts()
    const answers = this.#replicas.answers.slice(first)
    const differences = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)])
    printMeasured(what, {
      checks: tally(answers),
      longestMs: Math.max(...answers.map(({ tookMs }) => tookMs)),
      ...Object.fromEntries(differences),
    })
    expectSound(answers)
    const { timeouts = 0, failed = 0, skipped = 0 } = Object.fromEntries(differences)
    return timeouts + failed + skipped
  }

  /** Waits until all brokers use the store again. A circuit closes by a call, at most 15 s after it has opened. */
  async recovered(): Promise<void> {
    for (let looks = 0; looks < 100; looks++) {
      if ((await this.#replicas.metric(circuitMetric)) === 0) return
      await this.answered(50)
    }
    throw new Error('a circuit stays open')
  }

  /** Waits for all answers, and checks them. */
  async stop(): Promise<void> {
    await this.#load.stop()
    expectSound(this.#replicas.answers)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#load[Symbol.asyncDispose]()
  }

  /** Counted by the brokers that run: a killed one takes its counts along. */
  async #counts(): Promise<Readonly<Record<string, number>>> {
    const leases = (outcome: string) =>
      this.#replicas.metric(
        `dex_token_broker_shared_store_operations_total{operation="lease",outcome="${outcome}"}`,
      )
    return {
      tokenRequests: await this.#replicas.metric(requestMetric),
      retries: this.#replicas.retries,
      fromStore: await leases('record'),
      timeouts: await leases('timeout'),
      failed: await leases('failed'),
      skipped: await leases('open'),
    }
  }
}

/** No check is lost, and each client gets its own, unexpired token. */
function expectSound(answers: readonly CheckAnswer[]): void {
  expect(tally(answers)).toEqual({ 200: answers.length })
  expect(wrongTokens(answers)).toEqual([])
  expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
}
