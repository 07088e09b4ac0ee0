import { type ChildProcess, type Serializable, spawn } from 'node:child_process'
import { once } from 'node:events'

const longestLog = 20_000

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface ManagedProcessOptions {
  /** These variables and no others. Default: none. */
  readonly env?: NodeJS.ProcessEnv
  /** Gets what it writes, besides the log. */
  readonly onOutput?: (text: string) => void
  /** Opens a channel for `ask`. */
  readonly ipc?: boolean
  /** How long disposal waits after SIGTERM before it sends SIGKILL. Default: 5 s; 0 sends SIGKILL at once. */
  readonly patienceMs?: number
}

/** A child that never outlives this process, and tells the end of its log when something is wrong. */
export class ManagedProcess implements AsyncDisposable {
  /** For its streams; signals go through `signal`. */
  readonly child: ChildProcess
  readonly #name: string
  readonly #patienceMs: number
  readonly #closed: Promise<unknown>
  #log = ''

  constructor(name: string, command: string, args: readonly string[], options: ManagedProcessOptions = {}) {
    this.#name = name
    this.#patienceMs = options.patienceMs ?? 5_000
    this.child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
      env: { ...options.env },
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-longestLog)
        options.onOutput?.(text)
      })
    }
    running.add(this.child)
    this.#closed = once(this.child, 'close').finally(() => running.delete(this.child))
    // Callers that wait for the end receive the failure; waiting is optional.
    this.#closed.catch(() => {})
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.#name} could not be started`)
    return this.child.pid
  }

  /** The end of what it wrote to standard output and standard error. */
  get log(): string {
    return this.#log
  }

  get hasEnded(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Sends a message and resolves with the next answer. */
  async ask<Answer>(message: Serializable): Promise<Answer> {
    const ended = this.#closed.then(() => Promise.reject(new Error(`${this.#name} ended:\n${this.#log}`)))
    const answer = once(this.child, 'message')
    this.child.send(message)
    const [value] = await Promise.race([answer, ended])
    return value as Answer
  }

  /** Asks `ready` again and again until it resolves with something; rejects when the process ends, or after 20 s. */
  async until<Value>(
    what: string,
    ready: () => Promise<Value | undefined> | Value | undefined,
  ): Promise<Value> {
    const deadline = performance.now() + 20_000
    for (;;) {
      const value = await ready()
      if (value !== undefined) return value
      if (this.hasEnded) throw new Error(`${this.#name} ended before ${what}:\n${this.#log}`)
      if (performance.now() > deadline)
        throw new Error(`${this.#name}: no ${what} within 20 s:\n${this.#log}`)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#closed
    return this.child.exitCode ?? this.child.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) this.child.kill(this.#patienceMs === 0 ? 'SIGKILL' : 'SIGTERM')
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), this.#patienceMs)
    await this.#closed.catch(() => {})
    clearTimeout(impatience)
  }
}
