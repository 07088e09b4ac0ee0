import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Holdings, MessageFromBroker } from './broker-under-soak.ts'

/** The process of the broker that is being soaked. */
export class BrokersChild implements AsyncDisposable {
  readonly port: number
  readonly adminPort: number
  /** Lines that it wrote. */
  lines = 0
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, { port, adminPort }: { port: number; adminPort: number }) {
    this.#child = child
    this.port = port
    this.adminPort = adminPort
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<BrokersChild> {
    const child = fork(fileURLToPath(new URL('broker-under-soak.ts', import.meta.url)), {
      env: { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...environment },
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    process.once('exit', () => child.kill('SIGKILL'))
    const message = await nextMessage(child)
    if (message.type !== 'listening') throw new Error(`the broker said ${message.type} before it listened`)
    const started = new BrokersChild(child, message)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      started.lines += text.split('\n').length - 1
    })
    return started
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async holdings(): Promise<Holdings> {
    this.#child.send('holdings')
    const message = await nextMessage(this.#child)
    if (message.type !== 'holdings') throw new Error(`asked for holdings, the broker said ${message.type}`)
    return message
  }

  /** Stops it gracefully; resolves with its exit code. */
  async stop(): Promise<number | null> {
    if (!this.hasEnded) {
      const ended = once(this.#child, 'exit')
      this.#child.send('stop')
      const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(impatience)
    }
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function nextMessage(child: ChildProcess): Promise<MessageFromBroker> {
  const gone = new AbortController()
  const onExit = () => gone.abort(new Error('the broker ended'))
  child.once('exit', onExit)
  try {
    const [message] = await once(child, 'message', { signal: gone.signal })
    return message as MessageFromBroker
  } finally {
    child.off('exit', onExit)
  }
}
