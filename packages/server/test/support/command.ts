import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { brokerCommand, listeningPorts, until, within } from '@broker/testing'

/** How a child process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child process and everything that it wrote; ended by its handle when it goes out of scope. */
export class Command implements AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.child = spawn(file, args, { env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    this.child.stdout?.setEncoding('utf8').on('data', text => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.stderr += text
    })
  }

  get output(): string {
    return this.stdout + this.stderr
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Where it listens, by its own log in either form. */
  async listening(): Promise<{ port: number; adminPort: number | undefined }> {
    const ports = () => listeningPorts(this.stdout)
    await until(() => !this.isRunning || ports() !== undefined, 'the address in the log', 10_000)
    const { port, adminPort } = ports() ?? {}
    if (port === undefined) throw new Error(`it does not listen: ${this.output}`)
    return { port, adminPort: adminPort || undefined }
  }

  end(deadlineMs = 10_000): Promise<Ended> {
    return within(this.ended, 'the end of the process', deadlineMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) this.child.kill('SIGKILL')
    await this.ended
  }
}

/** Runs the built command with exactly this environment. */
export function runCommand(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Command {
  return new Command(process.execPath, [brokerCommand, ...args], environment)
}
