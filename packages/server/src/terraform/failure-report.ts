import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { printable } from '../printable.ts'

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
const standardError = 2
const program = 'terraform-credentials-dex'

/** A failure of a call, and where a person finds it. */
export interface FailedCall {
  /** `get registry.example.com`. */
  readonly call: string
  /** Sentences for a person, one per line, without a secret. */
  readonly reason: string
  readonly logFile: string | undefined
  /** Whether OpenTofu hides standard error, as it does for `get`. */
  readonly isHidden: boolean
}

/**
 * Writes a failure to standard error, as the protocol wants. OpenTofu and Terraform do not show it for `get`, so the failure also goes
 * to the terminal of the process, and to the log file. Never waits, and throws nothing.
 */
export function reportFailure({ call, reason, logFile, isHidden }: FailedCall): void {
  const lines = reason.split('\n').map(line => `${program}: ${call}: ${printable(line)}`)
  if (logFile !== undefined) {
    const time = new Date().toISOString()
    const fault = append(logFile, lines.map(line => `${time} ${line}\n`).join(''))
    if (fault !== undefined) lines.push(`${program}: cannot write to ${printable(logFile)} (${fault})`)
  }
  const text = lines.map(line => `${line}\n`).join('')
  write(standardError, text)
  if (isHidden && !isatty(standardError)) atTerminal(text)
}

/** The reason of a call that ran out of time during `step`, such as "reading standard input". */
export function timeoutReason(deadlineMs: number, step: string): string {
  return `gave up after ${deadlineMs / 1_000} s; it was still ${step}`
}

/** The code of the error, when it cannot be written. */
function append(path: string, text: string): string | undefined {
  try {
    // A pipe without a reader is refused instead of waited for.
    const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600)
    writeSync(file, text)
    closeSync(file)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error'
  }
}

function atTerminal(text: string): void {
  try {
    const terminal = openSync('/dev/tty', O_WRONLY | O_NOCTTY | O_NONBLOCK)
    // The cursor may be anywhere in a line of OpenTofu.
    write(terminal, `\r\n${text}`)
    closeSync(terminal)
  } catch {
    // A pipeline has no terminal.
  }
}

function write(file: number, text: string): void {
  try {
    writeSync(file, text)
  } catch {
    // The reader has left, or has stopped reading.
  }
}
