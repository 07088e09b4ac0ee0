import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { DexClient } from '@broker/dev-dex'
import { until } from '@broker/testing'

const requestTimeoutMs = 30_000
const longestLoadMs = 60_000
const tickMs = 10
/** Of `ManagedProcess`. */
const longestLog = 20_000

/** One caller's view of a check. */
export interface CheckAnswer {
  /** The headers of the request. */
  readonly headers: CheckHeaders
  /** The status, with the error code of a refusal behind it; or the code of what broke the request. */
  readonly outcome: string
  /** On the clock of `performance.now()`. */
  readonly askedAt: number
  readonly tookMs: number
  readonly retryAfter: string | undefined
  readonly token: string | undefined
  /** Whether a token that names its expiry had some life left when the answer arrived. */
  readonly isExpired: boolean
}

export type CheckHeaders = Readonly<Record<string, string>>

/** Clients of Dex, `team-0` and so on. */
export function teams(count: number): DexClient[] {
  return Array.from({ length: count }, (_, index) => ({ id: `team-${index}`, secret: `secret-${index}` }))
}

/** Credentials of one of them, the first again after the last. */
export function credentialsOf(clients: readonly DexClient[], index: number): CheckHeaders {
  const { id, secret } = clients[index % clients.length] as DexClient
  return { 'x-client-id': id, 'x-client-secret': secret ?? '' }
}

/** Asks a broker's check listener as Envoy does, on connections that are kept. */
export class CheckClient implements Disposable {
  readonly #agent: Agent
  readonly #port: number

  constructor(port: number, { maxSockets = 256 }: { maxSockets?: number } = {}) {
    this.#port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets })
  }

  /** Never rejects: what breaks a request is an outcome like the others. */
  ask(headers: CheckHeaders): Promise<CheckAnswer> {
    const askedAt = performance.now()
    return new Promise(resolve => {
      const end = (outcome: string, answer?: IncomingMessage) => {
        const token = answer?.headers.authorization?.slice('Bearer '.length)
        resolve({
          headers,
          outcome,
          askedAt,
          tookMs: performance.now() - askedAt,
          retryAfter: answer?.headers['retry-after'],
          token,
          isExpired: token !== undefined && isExpired(token),
        })
      }
      const broken = (error: NodeJS.ErrnoException) => end(error.code ?? error.name)
      const signal = AbortSignal.timeout(requestTimeoutMs)
      const options = { host: '127.0.0.1', port: this.#port, path: '/check/orders', agent: this.#agent }
      request({ ...options, headers, signal }, answer => {
        let body = ''
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        answer.once('error', broken)
        answer.once('end', () => end(`${answer.statusCode}${errorCodeIn(answer, body)}`, answer))
      })
        .once('error', broken)
        .end()
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

export interface LoadOptions {
  readonly perSecond: number
  /** With so many requests that have no answer, the next one waits and is made up for later. Default: no limit. */
  readonly maxUnanswered?: number
  /** When it stops by itself. Default: a minute. */
  readonly longestMs?: number
  /** The headers of each request by its number. */
  readonly headersOf: (index: number) => CheckHeaders
}

/** Asks at a steady rate, whatever becomes of what was asked before, until it is stopped. */
export class CheckLoad implements AsyncDisposable {
  /** In the order in which they arrived. */
  readonly answers: CheckAnswer[] = []
  readonly #client: Pick<CheckClient, 'ask'>
  readonly #options: LoadOptions
  readonly #running: Promise<void>
  #asked = 0
  #stopped = false

  constructor(client: Pick<CheckClient, 'ask'>, options: LoadOptions) {
    this.#client = client
    this.#options = options
    this.#running = this.#run()
  }

  /** Resolves when that many more answers have arrived. */
  async answered(count: number): Promise<void> {
    const enough = this.answers.length + count
    await until(() => this.answers.length >= enough, `${count} more answers`, longestLoadMs)
  }

  /** Resolves when that many requests in a row, asked from now on, had this outcome; with the index of the first answer. */
  async inARow(count: number, outcome = '200'): Promise<number> {
    const since = performance.now()
    let next = this.answers.length
    let first = next
    await until(() => {
      for (; next < this.answers.length; next++) {
        const answer = this.answers[next] as CheckAnswer
        if (answer.outcome !== outcome || answer.askedAt < since) first = next + 1
      }
      return next - first >= count
    }, `${count} answers in a row that are ${outcome}`)
    return first
  }

  /** Waits for every answer that is still out; fails when there are not as many as requests. */
  async stop(): Promise<readonly CheckAnswer[]> {
    this.#stopped = true
    await this.#running
    if (this.answers.length !== this.#asked) {
      throw new Error(`${this.#asked} requests and ${this.answers.length} answers`)
    }
    return this.answers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { perSecond, maxUnanswered = Number.POSITIVE_INFINITY, headersOf } = this.#options
    const { longestMs = longestLoadMs } = this.#options
    const startedAt = performance.now()
    const asked: Promise<unknown>[] = []
    while (!this.#stopped && performance.now() - startedAt < longestMs) {
      // By the clock, because a busy machine lets ticks come late.
      const due = Math.ceil(((performance.now() - startedAt) / 1000) * perSecond)
      while (this.#asked < Math.min(due, this.answers.length + maxUnanswered)) {
        asked.push(this.#client.ask(headersOf(this.#asked++)).then(answer => this.answers.push(answer)))
      }
      // real time: the pace of the load
      await delay(tickMs)
    }
    await Promise.all(asked)
  }
}

/** The lines of a process's log, of which only the end is kept: a log that was cut has no number of lines. */
export function linesOf(log: string): number {
  if (log.length >= longestLog) throw new Error('the beginning of the log is cut off')
  return log.split('\n').length - 1
}

export type Tally = Readonly<Record<string, number>>

/** How often each outcome was seen. */
export function tally(answers: readonly CheckAnswer[]): Tally {
  const counts: Record<string, number> = {}
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Milliseconds from a moment until the last request that was refused after it was asked; 0 when none was. For printing. */
export function recoveryMs(answers: readonly CheckAnswer[], since: number): number {
  const refused = answers.filter(({ outcome, askedAt }) => askedAt >= since && outcome !== '200')
  return Math.max(0, ...refused.map(({ askedAt }) => askedAt - since))
}

/** The value below which so many of the answers were given, in milliseconds. For printing: a busy machine makes it what it likes. */
export function quantileMs(answers: readonly CheckAnswer[], quantile: number): number {
  const times = answers.map(({ tookMs }) => tookMs).sort((one, other) => one - other)
  return times[Math.min(times.length - 1, Math.floor(times.length * quantile))] ?? 0
}

/** Prints what a test measured, on one line. */
export function printMeasured(what: string, numbers: Readonly<Record<string, unknown>>): void {
  const parts = Object.entries(numbers).map(([name, value]) => `${name} ${inWords(value)}`)
  process.stdout.write(`measured  ${what}: ${parts.join(', ')}\n`)
}

function inWords(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10)
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ')} }`
}

/** Answers that Envoy makes itself are text, or empty. */
function errorCodeIn({ headers }: IncomingMessage, body: string): string {
  return headers['content-type'] !== 'application/json'
    ? ''
    : ` ${(JSON.parse(body) as { error: string }).error}`
}

/** The claims of a token that is a JWT. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> & { readonly exp: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

function isExpired(token: string): boolean {
  return claimsOf(token).exp * 1000 <= Date.now()
}
