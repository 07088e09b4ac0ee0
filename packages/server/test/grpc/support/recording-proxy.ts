import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const prefaceBytes = 24
const headersType = 1
const resetType = 3
const endStream = 0x01

/** The frames that tell how calls went, counted on the wire: what a client never sent is not lost. */
export interface CountedFrames {
  /** Calls of clients. */
  calls: number
  /** Answers of the server that were complete. */
  answers: number
  /** Resets by the server. */
  resets: number
}

/** A proxy without TLS before a server of HTTP/2, which counts frames. */
export interface RecordingProxy extends AsyncDisposable {
  readonly port: number
  readonly frames: Readonly<CountedFrames>
}

/** `ca` is the authority of a server with TLS. */
export async function startRecordingProxy(serverPort: number, ca?: string): Promise<RecordingProxy> {
  const frames: CountedFrames = { calls: 0, answers: 0, resets: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, client => {
    const address = { port: serverPort, host: '127.0.0.1', noDelay: true }
    const upstream =
      ca === undefined ? connect(address) : connectTls({ ...address, ca, ALPNProtocols: ['h2'] })
    const fromClient = frameReader(prefaceBytes, type => {
      if (type === headersType) frames.calls++
    })
    const fromServer = frameReader(0, (type, flags) => {
      if (type === headersType && (flags & endStream) !== 0) frames.answers++
      if (type === resetType) frames.resets++
    })
    client.on('data', fromClient)
    upstream.on('data', fromServer)
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    frames,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function frameReader(skipped: number, onFrame: (type: number, flags: number) => void) {
  let bytes = Buffer.alloc(0)
  let toSkip = skipped
  return (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    if (toSkip > 0 && bytes.length >= toSkip) {
      bytes = bytes.subarray(toSkip)
      toSkip = 0
    }
    while (toSkip === 0 && bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3)
      if (bytes.length < end) return
      onFrame(bytes[3] as number, bytes[4] as number)
      bytes = bytes.subarray(end)
    }
  }
}
