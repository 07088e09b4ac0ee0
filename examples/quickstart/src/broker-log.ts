import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { finished } from 'node:stream/promises'

/** How much of the log is shown when the broker dies: a whole stack trace with its first line. */
const tailLines = 25

/** The broker's log, line by line, in a file of its own. */
export class BrokerLog {
  readonly file: string
  /** The last lines, for a report. */
  readonly tail: string[] = []
  readonly #stream: WriteStream
  readonly #onLine: (line: string) => void
  #rest = ''

  private constructor(folder: string, onLine: (line: string) => void) {
    this.file = path.join(folder, 'broker.log')
    this.#stream = createWriteStream(this.file)
    this.#onLine = onLine
  }

  /** `onLine` gets each line as it is written. */
  static async create(onLine: (line: string) => void): Promise<BrokerLog> {
    return new BrokerLog(await mkdtemp(path.join(tmpdir(), 'dex-token-broker-')), onLine)
  }

  /** Takes what the broker wrote, in pieces of any size. */
  write(text: string): void {
    this.#stream.write(text)
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      this.tail.push(line)
      if (this.tail.length > tailLines) this.tail.shift()
      this.#onLine(line)
    }
  }

  async close(): Promise<void> {
    this.#stream.end()
    await finished(this.#stream)
  }

  /** For a run about which there is nothing to ask later. */
  remove(): Promise<void> {
    return rm(path.dirname(this.file), { recursive: true, force: true })
  }
}
