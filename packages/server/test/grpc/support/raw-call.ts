import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { within } from '@broker/testing'

export const checkPath = '/envoy.service.auth.v3.Authorization/Check'

/** How a call ended. */
export interface RawAnswer {
  /** The status of HTTP; `undefined` when the stream ended without an answer. */
  readonly httpStatus: number | undefined
  /** The status of gRPC. */
  readonly status: string | undefined
  readonly message: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The code with which the stream was reset. */
  readonly resetCode: number
}

/** A connection without TLS; its errors are left to the calls. */
export function openSession(port: number): ClientHttp2Session & AsyncDisposable {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  return Object.assign(session, {
    [Symbol.asyncDispose]: async () => {
      session.destroy()
    },
  })
}

/** Opens a call without sending a message. */
export function openCall(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': checkPath,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  stream.on('error', () => {})
  return stream
}

/** Waits for the end of a call. */
export function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  const body: Buffer[] = []
  let headers: IncomingHttpHeaders = {}
  let trailers: IncomingHttpHeaders = {}
  stream.on('response', received => {
    headers = received
  })
  stream.on('trailers', received => {
    trailers = received
  })
  stream.on('data', (chunk: Buffer) => body.push(chunk))
  const closed = new Promise<RawAnswer>(resolve => {
    stream.once('close', () => {
      const all = { ...headers, ...trailers }
      resolve({
        httpStatus: headers[':status'] as number | undefined,
        status: all['grpc-status'] as string | undefined,
        message: all['grpc-message'] as string | undefined,
        headers,
        body: Buffer.concat(body),
        resetCode: stream.rstCode,
      })
    })
  })
  return within(closed, 'the end of the call', 10_000)
}

/** Puts the prefix of a message before bytes. */
export function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5)
  prefix[0] = flag
  prefix.writeUInt32BE(length, 1)
  return Buffer.concat([prefix, message])
}

/** Sends bytes as the body of a call, and waits for its end. */
export async function call(
  session: ClientHttp2Session,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const stream = openCall(session, headers)
  stream.end(body)
  return await answerOf(stream)
}
