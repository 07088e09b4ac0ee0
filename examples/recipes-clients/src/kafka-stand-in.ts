import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { TlsIdentity } from '@broker/testing'

/** A Kafka that only authenticates, by OAUTHBEARER, and lists no topics; it answers as Kafka 3.9 does. */
export interface KafkaStandIn extends AsyncDisposable {
  readonly address: string
  /** The tokens that clients authenticated with, the refused ones too. */
  readonly tokens: readonly string[]
}

export interface KafkaStandInOptions {
  /** For `localhost`. */
  readonly tls: TlsIdentity
  accepts(token: string): Promise<boolean>
  /** How long a connection may be used before its client authenticates again. */
  readonly sessionMs: number
}

const apiKeys = { metadata: 3, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 } as const
const versions = [
  [apiKeys.metadata, 1],
  [apiKeys.saslHandshake, 1],
  [apiKeys.apiVersions, 2],
  [apiKeys.saslAuthenticate, 1],
] as const
const saslAuthenticationFailed = 58

export async function startKafkaStandIn(options: KafkaStandInOptions): Promise<KafkaStandIn> {
  const { tls, accepts, sessionMs } = options
  const tokens: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(tls, socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    serve(socket).catch(() => socket.destroy())
  })
  server.on('tlsClientError', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo

  async function serve(socket: Socket): Promise<void> {
    let state: 'new' | 'refused' | 'authenticated' = 'new'
    for await (const request of framesOf(socket)) {
      const key = request.readInt16BE(0)
      const answer = (...parts: readonly Buffer[]) => socket.write(frame(request.subarray(4, 8), ...parts))
      if (key === apiKeys.apiVersions) {
        const list = versions.map(([api, version]) => Buffer.concat([api, version, version].map(int16)))
        answer(int16(0), array(list), int32(0))
      } else if (key === apiKeys.saslHandshake) {
        answer(int16(0), array([text('OAUTHBEARER')]))
      } else if (key === apiKeys.saslAuthenticate && state === 'refused') {
        // The client has confirmed the refusal (RFC 7628 section 3.2.3).
        answer(int16(saslAuthenticationFailed), text('{"status":"invalid_token"}'), bytes(''), int64(0))
        socket.end()
      } else if (key === apiKeys.saslAuthenticate) {
        const [, sent = ''] = request.toString('latin1').split('auth=Bearer ')
        const [token = ''] = sent.split('\u0001')
        tokens.push(token)
        state = (await accepts(token)) ? 'authenticated' : 'refused'
        const refusal = state === 'refused' ? '{"status":"invalid_token"}' : ''
        answer(int16(0), noText, bytes(refusal), int64(sessionMs))
      } else if (key === apiKeys.metadata && state === 'authenticated') {
        const self = Buffer.concat([int32(1), text('localhost'), int32(port), noText])
        answer(array([self]), int32(1), array([]))
      } else {
        socket.end()
      }
    }
  }

  return {
    address: `localhost:${port}`,
    tokens,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** The requests of a connection: a length of four bytes, then api key, version, correlation id and so on. */
async function* framesOf(socket: Socket): AsyncGenerator<Buffer> {
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer])
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0)
      yield received.subarray(4, end)
      received = received.subarray(end)
    }
  }
}

const frame = (...parts: readonly Buffer[]) => {
  const content = Buffer.concat(parts)
  return Buffer.concat([int32(content.length), content])
}
const array = (items: readonly Buffer[]) => Buffer.concat([int32(items.length), ...items])
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)])
const noText = int16(-1)
const bytes = (value: string) => Buffer.concat([int32(value.length), Buffer.from(value)])

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}
