import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { within } from './until.ts'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** The value of a header that is there once; fails when it is there twice. */
  header(name: string): string | undefined
}

/** How a request looks on the wire; header lines in order, repeated ones and odd ones included. */
export interface RawRequest {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  readonly body?: string
}

/** A request as text, with a Host unless the caller brings one and with a Content-Length when there is a body. */
export function requestText({
  method = 'GET',
  target = '/check',
  headers = {},
  body = '',
}: RawRequest): string {
  const lines = [...(Symbol.iterator in headers ? headers : Object.entries(headers))]
  if (!lines.some(([name]) => name.toLowerCase() === 'host')) lines.unshift(['Host', 'client.example'])
  if (body !== '') lines.push(['Content-Length', String(Buffer.byteLength(body))])
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${target} HTTP/1.1\r\n${head}\r\n${body}`
}

/** A TCP connection, for tests to which the bytes matter. It stays half open when the other side ends. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #ended = false
  #wake = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('drain', () => this.#wake())
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end)
    socket.on('close', end)
    // A reset is an end like any other here.
    socket.on('error', end)
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** Whether the other side has ended the connection. */
  get ended(): boolean {
    return this.#ended
  }

  /** The bytes that have arrived and were not read as an answer. */
  get rest(): string {
    return this.#received.toString('latin1')
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength
  }

  /** `false` when the other side does not take it as fast. */
  write(data: string | Uint8Array): boolean {
    if (this.#socket.destroyed) return false
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
  }

  /** Resolves when the other side takes more, or has ended the connection. */
  async takesMore(): Promise<void> {
    await this.#until(() => this.#ended || !this.#socket.writableNeedDrain, 'room for more', 5_000)
  }

  send(request: RawRequest): void {
    this.write(requestText(request))
  }

  /** Ends the sending side only. */
  end(): void {
    this.#socket.end()
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** The next answer; `toHead` says that it has no body whatever its headers say. */
  async answer({ toHead = false, deadlineMs = 5_000 } = {}): Promise<RawAnswer> {
    const headEnd = () => this.#received.indexOf('\r\n\r\n')
    await this.#until(() => headEnd() !== -1, 'an answer', deadlineMs)
    const [statusLine = '', ...lines] = this.#take(headEnd() + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
    if (!status) throw new Error(`no status line: ${statusLine}`)
    const headers = lines.map(line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    })
    const header = (name: string) => {
      const values = headers.filter(([other]) => other === name).map(([, value]) => value)
      if (values.length > 1) throw new Error(`${name} is there ${values.length} times`)
      return values[0]
    }
    const bodiless = toHead || status < 200 || status === 204 || status === 304
    const body = bodiless ? '' : await this.#body(header, deadlineMs)
    return { status, headers, body, header }
  }

  /** Exactly so many bytes that belong to no answer. */
  async bytes(count: number, deadlineMs = 20_000): Promise<string> {
    await this.#until(() => this.#received.length >= count, `${count} bytes`, deadlineMs)
    return this.#take(count).toString('latin1')
  }

  /** Resolves when the other side has ended the connection. */
  closed(deadlineMs = 5_000): Promise<void> {
    return this.#until(() => this.#ended, 'the end of the connection', deadlineMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }

  async #body(header: RawAnswer['header'], deadlineMs: number): Promise<string> {
    if (header('transfer-encoding') === 'chunked') {
      let body = ''
      for (;;) {
        await this.#until(() => this.#received.includes('\r\n'), 'a chunk', deadlineMs)
        const size = this.#take(this.#received.indexOf('\r\n') + 2).toString('latin1')
        const length = Number.parseInt(size, 16)
        await this.#until(() => this.#received.length >= length + 2, 'a chunk', deadlineMs)
        body += this.#take(length + 2)
          .subarray(0, length)
          .toString()
        if (length === 0) return body
      }
    }
    const length = header('content-length')
    await this.#until(
      () => (length === undefined ? this.#ended : this.#received.length >= Number(length)),
      'a body',
      deadlineMs,
    )
    return this.#take(length === undefined ? this.#received.length : Number(length)).toString()
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  async #until(condition: () => boolean, what: string, deadlineMs: number): Promise<void> {
    const holds = async () => {
      while (!condition()) {
        if (this.#ended) throw new Error(`the connection ended before ${what}; rest: ${this.rest}`)
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
    await within(holds(), what, deadlineMs)
  }
}

/** Sends one request on a new connection and resolves with its answer. */
export async function ask(
  port: number,
  request: RawRequest = {},
  { deadlineMs = 5_000 } = {},
): Promise<RawAnswer> {
  // Without `await using`: a test starts this file in Node.js 22 as it is, which does not know it.
  const connection = await RawConnection.open(port)
  try {
    connection.send(request)
    return await connection.answer({ toHead: request.method === 'HEAD', deadlineMs })
  } finally {
    await connection[Symbol.asyncDispose]()
  }
}
