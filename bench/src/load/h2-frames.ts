// As much of HTTP/2 (RFC 9113, RFC 7541) as a load generator needs.

export const frameHeaderBytes = 9
export const frameType = { data: 0, headers: 1, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const
export const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const

/** A frame with its header. */
export function h2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(frameHeaderBytes + payload.length)
  frame.writeUIntBE(payload.length, 0, 3)
  frame[3] = type
  frame[4] = flags
  frame.writeUInt32BE(stream, 5)
  frame.set(payload, frameHeaderBytes)
  return frame
}

/** The start of a connection: the preface, settings with the largest windows, and a window for the connection. */
export function h2Opening(windowBytes: number): Buffer {
  const initialWindowSize = Buffer.alloc(6)
  initialWindowSize.writeUInt16BE(4, 0)
  initialWindowSize.writeUInt32BE(windowBytes, 2)
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    h2Frame(frameType.settings, 0, 0, initialWindowSize),
    windowUpdate(windowBytes),
  ])
}

/** Lets the server send so many bytes more on the connection. */
export function windowUpdate(bytes: number): Buffer {
  const increment = Buffer.alloc(4)
  increment.writeUInt32BE(bytes)
  return h2Frame(frameType.windowUpdate, 0, 0, increment)
}

/** Header fields without compression: literals that are not indexed. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([0]),
      ...[name, value].flatMap(text => [Buffer.from([text.length]), Buffer.from(text, 'latin1')]),
    ]),
  )
}
