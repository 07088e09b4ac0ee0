import { brokerCommand, listeningPorts, ManagedProcess, until, within } from '@broker/testing'

/** How a child process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child process and everything that it wrote; killed when its handle goes out of scope. */
export class Command extends ManagedProcess {
  stdout = ''
  stderr = ''

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    super('the command', file, args, { env: environment, patienceMs: 0 })
    this.child.stdout?.on('data', text => {
      this.stdout += text
    })
    this.child.stderr?.on('data', text => {
      this.stderr += text
    })
  }

  get output(): string {
    return this.stdout + this.stderr
  }

  get isRunning(): boolean {
    return !this.hasEnded
  }

  kill(signal: NodeJS.Signals): void {
    this.signal(signal)
  }

  /** Where it listens, by its own log in either form. */
  async listening(): Promise<{ port: number; adminPort: number | undefined }> {
    const ports = () => listeningPorts(this.stdout)
    await until(() => this.hasEnded || ports() !== undefined, 'the address in the log', 10_000)
    const { port, adminPort } = ports() ?? {}
    if (port === undefined) throw new Error(`it does not listen: ${this.output}`)
    return { port, adminPort: adminPort || undefined }
  }

  async end(deadlineMs = 10_000): Promise<Ended> {
    await within(this.ended(), 'the end of the process', deadlineMs)
    return { code: this.child.exitCode, signal: this.child.signalCode }
  }
}

/** Runs the built command with exactly this environment. */
export function runCommand(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Command {
  return new Command(process.execPath, [brokerCommand, ...args], environment)
}
