import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { Connection } from './connection.ts'
import { GrpcCall } from './grpc-call.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import type { GrpcMethod, GrpcMethods } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { MessageReader } from './message-reader.ts'

/** How often calls are looked for that take too long to send their message. */
const sweepMs = 1_000

/** A server of gRPC without TLS, which serves methods to the connections of callers. */
export class GrpcServer {
  readonly server: Http2Server
  readonly #methods: GrpcMethods
  readonly #limits: GrpcLimits
  readonly #onError: (error: unknown) => void
  readonly #connections = new Set<Connection>()
  /** Calls whose message has not arrived, the oldest first, and since when. */
  readonly #receiving = new Map<GrpcCall, number>()
  readonly #streaming = new Set<GrpcCall>()
  #sweeper: NodeJS.Timeout | undefined

  /** `onError` is called with each unexpected error of a method. */
  constructor(methods: GrpcMethods, limits: GrpcLimits, onError: (error: unknown) => void) {
    this.#methods = methods
    this.#limits = limits
    this.#onError = onError
    this.server = createServer({
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        enablePush: false,
        maxHeaderListSize: 16 * 1024,
      },
      // A proxy cancels the calls of many clients at once, and all of its calls are on one connection.
      streamResetBurst: 10_000,
      streamResetRate: 1_000,
      maxSessionMemory: 64,
    })
    let accepted: Socket | undefined
    // Before the listener of Node, which makes the session at once.
    this.server.prependListener('connection', (socket: Socket) => {
      accepted = socket
    })
    this.server.on('session', session => this.#serve(session, accepted as Socket))
    this.server.on('stream', (stream, headers) => this.#open(stream as ServerHttp2Stream, headers))
    // A malformed frame is the caller's error, and ends that connection only.
    this.server.on('sessionError', () => {})
  }

  /** The connections of now. */
  get connections(): Iterable<Connection> {
    return this.#connections
  }

  /** Ends calls of several messages, which have no natural end and would delay a stop. */
  endStreaming(): void {
    for (const call of this.#streaming) call.end()
  }

  #serve(session: ServerHttp2Session, socket: Socket): void {
    const connection = new Connection(session, socket)
    this.#connections.add(connection)
    session.once('close', () => this.#connections.delete(connection))
    session.on('error', () => session.destroy())
    const { receiveTimeoutMs, idleTimeoutMs, maxConnectionAgeMs, maxConnectionAgeGraceMs } = this.#limits
    let spoke = false
    session.once('remoteSettings', () => {
      spoke = true
    })
    connection.after(receiveTimeoutMs, () => {
      if (!spoke) session.destroy()
    })
    session.setTimeout(idleTimeoutMs, () => connection.leave(maxConnectionAgeGraceMs))
    if (maxConnectionAgeMs !== undefined) {
      // Connections that began together must not end together.
      const ageMs = maxConnectionAgeMs * (0.9 + Math.random() * 0.2)
      connection.after(ageMs, () => connection.leave(maxConnectionAgeGraceMs))
    }
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', ignore)
    if (!isGrpc(headers)) {
      stream.respond({ ':status': 415 }, { endStream: true })
      stream.resume()
      return
    }
    const call = new GrpcCall(stream, headers)
    const method = this.#methods.get(headers[':path'] as string)
    if (method === undefined) {
      call.fail(grpcStatus.unimplemented, 'the method is not implemented')
      return
    }
    this.#receive(stream, call, method)
  }

  #receive(stream: ServerHttp2Stream, call: GrpcCall, method: GrpcMethod): void {
    const reader = new MessageReader(this.#limits.maxMessageBytes)
    let message: Buffer | undefined
    let isOver = false
    const onMessage = (bytes: Buffer) => {
      if (method.kind === 'streaming') {
        this.#receiving.delete(call)
        this.#streaming.add(call)
        method.onMessage(bytes, call)
        return
      }
      if (message !== undefined) {
        throw new GrpcFailure(grpcStatus.invalidArgument, 'the method takes one message')
      }
      message = bytes
    }
    this.#expect(call)
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, onMessage)
      } catch (error) {
        this.#receiving.delete(call)
        isOver = true
        this.#fail(call, error)
      }
    })
    stream.once('end', () => {
      this.#receiving.delete(call)
      if (isOver) return
      try {
        if (reader.isIncomplete) throw new GrpcFailure(grpcStatus.invalidArgument, 'the message is cut short')
        if (method.kind === 'streaming') {
          method.onEnd(call)
          return
        }
        if (message === undefined) throw new GrpcFailure(grpcStatus.invalidArgument, 'there is no message')
        const answer = method.answer(message, call)
        if (answer instanceof Promise) void this.#answerLater(call, answer)
        else call.reply(answer)
      } catch (error) {
        this.#fail(call, error)
      }
    })
    stream.once('close', () => {
      this.#receiving.delete(call)
      this.#streaming.delete(call)
    })
  }

  async #answerLater(call: GrpcCall, answer: Promise<Uint8Array>): Promise<void> {
    try {
      call.reply(await answer)
    } catch (error) {
      this.#fail(call, error)
    }
  }

  #fail(call: GrpcCall, error: unknown): void {
    if (error instanceof GrpcFailure) {
      call.fail(error.status, error.message)
      return
    }
    // The reason of the caller's own leave.
    if (call.isClosed) return
    this.#onError(error)
    call.fail(grpcStatus.internal, 'internal error')
  }

  #expect(call: GrpcCall): void {
    this.#receiving.set(call, performance.now())
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.min(sweepMs, this.#limits.receiveTimeoutMs),
    ).unref()
  }

  #sweep(): void {
    const oldest = performance.now() - this.#limits.receiveTimeoutMs
    for (const [call, since] of this.#receiving) {
      if (since > oldest) return
      this.#receiving.delete(call)
      call.fail(grpcStatus.invalidArgument, 'the message did not arrive in time')
    }
    if (this.#receiving.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type']
  return (
    headers[':method'] === 'POST' &&
    (type === 'application/grpc' || type?.toLowerCase() === 'application/grpc+proto')
  )
}

function ignore(): void {}
