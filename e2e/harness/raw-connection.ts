import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const answerTimeoutMs = 20_000

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** By lower-case name; repeated lines joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A TCP connection on which requests go out byte for byte as they are given. */
export class RawConnection implements Disposable {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #ended = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#wake()
    })
    socket.on('error', error => {
      this.#failure = error
      this.#wake()
    })
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Reads one answer; `undefined` when the connection ends without one. */
  async answer(method = 'GET'): Promise<RawAnswer | undefined> {
    const head = await this.#until('\r\n\r\n')
    if (head === undefined) return undefined
    const [statusLine = '', ...lines] = head.toString('latin1').split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines.filter(Boolean)) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    }
    const status = Number(statusLine.split(' ')[1])
    return { status, headers, body: (await this.#body(method, status, headers)).toString('latin1') }
  }

  /** Reads exactly so many bytes that belong to no HTTP answer. */
  async bytes(count: number): Promise<string> {
    while (this.#received.length < count) {
      if (!(await this.#more())) break
    }
    return this.#take(count).toString('latin1')
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #body(method: string, status: number, headers: Record<string, string>): Promise<Buffer> {
    if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return Buffer.alloc(0)
    if (headers['transfer-encoding'] === 'chunked') {
      const chunks: Buffer[] = []
      for (;;) {
        const size = Number.parseInt((await this.#until('\r\n'))?.toString('latin1') ?? '0', 16)
        const chunk = Buffer.from(await this.bytes(size), 'latin1')
        await this.#until('\r\n')
        if (size === 0) return Buffer.concat(chunks)
        chunks.push(chunk)
      }
    }
    return Buffer.from(await this.bytes(Number(headers['content-length'] ?? 0)), 'latin1')
  }

  async #until(mark: string): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#received.indexOf(mark)
      if (end !== -1) return this.#take(end + mark.length).subarray(0, end)
      if (!(await this.#more())) return undefined
    }
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return taken
  }

  async #more(): Promise<boolean> {
    if (this.#ended || this.#failure !== undefined) return false
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#wake = resolve
    const late = setTimeout(
      () => reject(new Error(`no answer within ${answerTimeoutMs} ms`)),
      answerTimeoutMs,
    )
    await promise.finally(() => clearTimeout(late))
    return true
  }
}
