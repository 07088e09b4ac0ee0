import type { Writable } from 'node:stream'
import { RecentLines } from './recent-lines.ts'

/** A few thousand lines: enough for a reader that pauses, and little of a container's memory. */
const maxWaitingBytes = 1024 * 1024

/**
 * Writes log lines without ever delaying a check. When more than 1 MiB waits for a slow reader, further lines are dropped
 * and counted; the next line that is written says how many.
 *
 * A write is a call of the system, which costs more than all else of a line. So lines below WARN that follow another one in the same
 * turn of the event loop are written together at its end. A line at WARN or above is written at once, after those before it.
 */
export class LogOutput {
  /** The lines for the status page. */
  readonly recent: RecentLines = new RecentLines()
  readonly #stream: Writable
  readonly #format: (line: string) => string
  #dropped = 0
  #untold = 0
  /** Whether a line of this turn was written. */
  #isHolding = false
  #held = ''

  /** `format` turns a JSON line into the text that is written. */
  constructor(stream: Writable, format: (line: string) => string = line => line) {
    this.#stream = stream
    this.#format = format
    // A reader that has left, as in `| head`, ends no check.
    stream.on('error', () => {})
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const isFailure = this.recent.see(line)
    if (this.#stream.writableLength + this.#held.length > maxWaitingBytes) {
      this.#dropped++
      this.#untold++
      return
    }
    if (this.#untold > 0) this.#tell()
    this.#held += this.#format(line)
    if (isFailure || !this.#isHolding) this.#release()
    if (this.#isHolding) return
    this.#isHolding = true
    setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#isHolding = false
    if (this.#held !== '') this.#release()
  }

  #release(): void {
    const text = this.#held
    this.#held = ''
    this.#stream.write(text)
  }

  #tell(): void {
    const lines = this.#untold
    this.#untold = 0
    const line = {
      level: 'warn',
      time: new Date().toISOString(),
      lines,
      msg: 'log lines dropped: the reader of the log was too slow',
    }
    this.#held += this.#format(`${JSON.stringify(line)}\n`)
  }
}
