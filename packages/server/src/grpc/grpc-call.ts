import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { waitingTimeMs } from '../waiting-time.ts'
import { type FailureStatus, grpcStatus } from './grpc-status.ts'
import { grpcTimeoutMs } from './grpc-timeout.ts'

const answerHeaders = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': 'identity',
} as const
/** The same as a list, from which Node makes its own in less time. */
const answerHeaderList = Object.entries(answerHeaders).flat().map(String)
const successTrailers = { 'grpc-status': String(grpcStatus.ok) } as const
/** gRPC has no use for a date. */
const withTrailers = { waitForTrailers: true, sendDate: false } as const

/** Limit of bytes that wait for a caller to read them, before the next message. */
const maxUnreadBytes = 64 * 1024

/** A call on its stream. Every answer after the first, or after the caller left, is dropped. */
export class GrpcCall {
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  #aborting: AbortController | undefined
  /** When a message was sent to a caller that had read everything before. */
  #sentAt = 0

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream
    this.#headers = headers
  }

  /** How long the call may wait, in milliseconds, derived from the smaller of `grpc-timeout` and Envoy's own timeout. */
  get timeoutMs(): number | undefined {
    const expected = this.#headers['x-envoy-expected-rq-timeout-ms']
    const byEnvoy = typeof expected === 'string' ? waitingTimeMs(expected) : undefined
    const deadline = grpcTimeoutMs(this.#headers['grpc-timeout'] as string | undefined)
    const byCaller = deadline === undefined ? undefined : waitingTimeMs(String(deadline))
    return byEnvoy === undefined || byCaller === undefined
      ? (byEnvoy ?? byCaller)
      : Math.min(byEnvoy, byCaller)
  }

  /** The headers of the call that carry its trace, as header lines. */
  get traceHeaders(): readonly string[] {
    return ['traceparent', 'tracestate'].flatMap(name => {
      const value = this.#headers[name]
      return value === undefined ? [] : [name, String(value)]
    })
  }

  /** Aborts when the caller leaves. Created at its first use, because most calls are answered at once. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      const aborting = new AbortController()
      this.#aborting = aborting
      if (this.isClosed) aborting.abort()
      else this.#stream.once('close', () => aborting.abort())
    }
    return this.#aborting.signal
  }

  /** Whether the stream has ended, so that nothing can be sent. */
  get isClosed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  /** Calls `listener` when the stream has ended, for whatever reason. */
  onClose(listener: () => void): void {
    if (this.#stream.destroyed) listener()
    else this.#stream.once('close', listener)
  }

  /** Sends the only message of the answer, with its prefix, and ends the call with success. */
  reply(frame: Uint8Array): void {
    if (!this.#begin()) return
    this.#stream.end(frame)
  }

  /** Sends one of several messages, with its prefix. Ends the call of a caller that asks and does not read. */
  send(frame: Uint8Array): void {
    if (this.isClosed || this.#stream.writableEnded) return
    if (this.#stream.writableLength > maxUnreadBytes) {
      this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      return
    }
    if (!this.#stream.headersSent) this.#begin()
    if (this.#stream.writableLength === 0) this.#sentAt = performance.now()
    this.#stream.write(frame)
  }

  /** Whether the caller has left a message unread since then or longer. */
  isUnreadSince(time: number): boolean {
    return this.#stream.writableLength > 0 && this.#sentAt <= time
  }

  /** Ends a call of several messages with success, whether its caller has ended its side or not. */
  end(): void {
    const stream = this.#stream
    if (this.isClosed || stream.writableEnded) return
    if (!stream.headersSent) this.#begin()
    stream.once('wantTrailers', () => dismiss(stream))
    stream.end()
  }

  /** Gives up a call whose caller does not read the answer. */
  cut(): void {
    if (!this.isClosed) this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  /** Refuses a request that is not gRPC, with a status of HTTP. */
  refuse(httpStatus: number): void {
    if (this.isClosed || this.#stream.headersSent) return
    this.#stream.respond({ ':status': httpStatus }, { endStream: true })
    dismiss(this.#stream)
  }

  /** Ends the call without a message, or without a further one. */
  fail(status: FailureStatus, message: string): void {
    const stream = this.#stream
    if (this.isClosed || stream.writableEnded) return
    if (stream.headersSent) {
      // The trailers of a success are not sent yet, and must not be.
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      return
    }
    stream.respond(
      { ...answerHeaders, 'grpc-status': String(status), 'grpc-message': message },
      { endStream: true },
    )
    dismiss(stream)
  }

  #begin(): boolean {
    const stream = this.#stream
    if (this.isClosed || stream.headersSent) return false
    stream.respond(answerHeaderList, withTrailers)
    stream.on('wantTrailers', sendSuccess)
    return true
  }
}

function sendSuccess(this: ServerHttp2Stream): void {
  this.sendTrailers(successTrailers)
}

/**
 * Discards what a caller still sends, and resets the stream if it does not end by itself. The answer is complete, so the reset carries
 * no error (RFC 9113 section 8.1); it must not overtake the answer.
 */
function dismiss(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return
  stream.removeAllListeners('data')
  stream.resume()
  setImmediate(() => {
    if (!stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR)
  })
}
