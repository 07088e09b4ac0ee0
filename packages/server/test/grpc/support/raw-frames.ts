import { connect, type Socket } from 'node:net'
import { within } from '@broker/testing'

/** The types of frames that tests send (RFC 9113 section 6). */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const frameFlag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const

/** A frame of HTTP/2. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Header fields without compression and without the table (RFC 7541 section 6.2.2); names and values below 127 bytes. */
export function fields(entries: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(entries).map(([name, value]) =>
    Buffer.concat([
      Buffer.of(0, name.length),
      Buffer.from(name),
      Buffer.of(value.length),
      Buffer.from(value),
    ]),
  )
  return Buffer.concat(parts)
}

export const callFields = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/envoy.service.auth.v3.Authorization/Check',
  ':authority': 'broker',
  'content-type': 'application/grpc',
  te: 'trailers',
} as const

/** The frame that opens a call. */
export function callHeaders(stream: number, more: Readonly<Record<string, string>> = {}): Buffer {
  return frame(frameType.headers, frameFlag.endHeaders, stream, fields({ ...callFields, ...more }))
}

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** SETTINGS with one value. */
export function settings(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6)
  payload.writeUInt16BE(id, 0)
  payload.writeUInt32BE(value, 2)
  return frame(frameType.settings, 0, 0, payload)
}

/** A connection on which a test writes any bytes, and which reads everything and answers nothing. */
export class FrameConnection implements Disposable {
  readonly #socket: Socket
  readonly #closed: Promise<void>
  bytes: Buffer = Buffer.alloc(0)
  isClosed = false

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', () => {})
    this.#socket.on('data', (data: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, data])
    })
    this.#closed = new Promise(resolve => {
      this.#socket.once('close', () => {
        this.isClosed = true
        resolve()
      })
    })
  }

  get socket(): Socket {
    return this.#socket
  }

  /** Begins with the preface and empty SETTINGS, or with others. */
  open(first: Uint8Array = frame(frameType.settings, 0, 0)): this {
    return this.write(preface, first)
  }

  /** Writes, unless the server has closed the connection. */
  write(...parts: readonly Uint8Array[]): this {
    if (this.#socket.writable) this.#socket.write(Buffer.concat(parts))
    return this
  }

  /** Resolves when the server has closed the connection. */
  closed(): Promise<void> {
    return within(this.#closed, 'the end of the connection', 10_000)
  }

  /** Frames of the server: type, flags, stream and payload. */
  get frames(): { type: number; flags: number; stream: number; payload: Buffer }[] {
    const frames = []
    for (let rest = this.bytes; rest.length >= 9; ) {
      const end = 9 + rest.readUIntBE(0, 3)
      if (rest.length < end) break
      frames.push({
        type: rest[3] as number,
        flags: rest[4] as number,
        stream: rest.readUInt32BE(5),
        payload: rest.subarray(9, end),
      })
      rest = rest.subarray(end)
    }
    return frames
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
