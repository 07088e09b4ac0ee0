import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { terraformHelper } from '@broker/testing'

/** How a call of the helper ended. */
export interface HelperRun {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface HelperOptions {
  /** These variables and no others. */
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; `never ends` keeps it open, `no input` is /dev/null. Default: an empty pipe. */
  readonly input?: string | 'never ends' | 'no input'
  /** JavaScript that runs first in the process. */
  readonly before?: string
  /** Default: the built one. */
  readonly script?: string
}

/** Runs the built helper as OpenTofu does, and waits for its end. */
export async function runHelper(args: readonly string[], options: HelperOptions = {}): Promise<HelperRun> {
  const { env = {}, input = '', before, script = terraformHelper } = options
  const preload =
    before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`]
  const child = spawn(process.execPath, [...preload, script, ...args], {
    env: { ...env },
    stdio: [input === 'no input' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  try {
    if (input !== 'never ends') child.stdin?.end(input)
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout as Readable),
      text(child.stderr as Readable),
      once(child, 'exit'),
    ])
    return { code, signal, stdout, stderr }
  } finally {
    child.kill('SIGKILL')
  }
}
