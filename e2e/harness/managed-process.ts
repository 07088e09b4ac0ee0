import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const longestLog = 20_000

/** A process of ours: it never outlives this one, and tells the end of its log when something is wrong. */
export class ManagedProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #name: string
  #log = ''

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    { env, onOutput }: { env?: NodeJS.ProcessEnv; onOutput?: (text: string) => void } = {},
  ) {
    this.#name = name
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(env && { env }) })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-longestLog)
        onOutput?.(text)
      })
    }
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#closed = once(this.#child, 'close').finally(() => process.removeListener('exit', kill))
    // Whoever waits for the end hears of it; nobody has to.
    this.#closed.catch(() => {})
  }

  /** The end of what it wrote to standard output and standard error. */
  get log(): string {
    return this.#log
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
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
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#closed
    return this.#child.exitCode ?? this.#child.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) this.#child.kill('SIGTERM')
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.#closed.catch(() => {})
    clearTimeout(impatience)
  }
}
