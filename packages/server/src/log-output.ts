import type { Writable } from 'node:stream'

/** A few thousand lines: enough for a reader that pauses, little beside the memory that a container has. */
const maxWaitingBytes = 1024 * 1024

/**
 * Where log lines go. A reader that stops reading never holds a check up: beyond 1 MiB that waits for it, lines are
 * dropped and counted, and the next line that can be written says how many.
 */
export class LogOutput {
  readonly #stream: Writable
  readonly #format: (line: string) => string
  #dropped = 0
  #untold = 0

  /** `format` makes of a line of JSON what is written. */
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
    if (this.#stream.writableLength > maxWaitingBytes) {
      this.#dropped++
      this.#untold++
      return
    }
    if (this.#untold > 0) this.#tell()
    this.#stream.write(this.#format(line))
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
    this.#stream.write(this.#format(`${JSON.stringify(line)}\n`))
  }
}
