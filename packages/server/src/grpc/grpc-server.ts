import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { ListenerTls } from '../tls/listener-tls.ts'
import { CallReceiver, type ReceivingServer } from './call-receiver.ts'
import { Connection } from './connection.ts'
import { GrpcCall } from './grpc-call.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import type { GrpcMethods } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { ReceivingCalls } from './receiving-calls.ts'

/** How often calls are looked for that take too long to send their message. */
const sweepMs = 1_000

/** A server of gRPC, which serves methods to the connections of callers. */
export class GrpcServer {
  readonly server: Http2Server | Http2SecureServer
  readonly #methods: GrpcMethods
  readonly #limits: GrpcLimits
  readonly #onError: (error: unknown) => void
  readonly #connections = new Set<Connection>()
  readonly #receiving = new ReceivingCalls()
  readonly #streaming = new Set<GrpcCall>()
  readonly #receivingServer: ReceivingServer
  #sweeper: NodeJS.Timeout | undefined

  /** `onError` is called with each unexpected error of a method. */
  constructor(
    methods: GrpcMethods,
    limits: GrpcLimits,
    onError: (error: unknown) => void,
    tls?: ListenerTls,
  ) {
    this.#methods = methods
    this.#limits = limits
    this.#onError = onError
    this.#receivingServer = {
      maxMessageBytes: limits.maxMessageBytes,
      received: receiver => this.#received(receiver),
      closed: receiver => this.#closed(receiver),
      answerLater: (call, answer) => void this.#answerLater(call, answer),
      fail: (call, error) => this.#fail(call, error),
    }
    const options = {
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        enablePush: false,
        maxHeaderListSize: 16 * 1024,
      },
      // A proxy cancels the calls of many clients at once, and all of its calls are on one connection.
      streamResetBurst: 10_000,
      streamResetRate: 1_000,
      maxSessionMemory: 64,
    }
    this.server = tls === undefined ? this.#plainServer(options) : this.#secureServer(options, tls)
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

  #plainServer(options: ServerOptions): Http2Server {
    const server = createServer(options)
    let accepted: Socket | undefined
    // Before the listener of Node, which makes the session at once.
    server.prependListener('connection', (socket: Socket) => {
      accepted = socket
    })
    server.on('session', session => this.#serve(session, accepted))
    return server
  }

  #secureServer(options: ServerOptions, tls: ListenerTls): Http2SecureServer {
    const server = createSecureServer({ ...options, ...tls.options })
    tls.guard(server)
    server.on('session', session => this.#serve(session))
    return server
  }

  #serve(session: ServerHttp2Session, socket?: Socket): void {
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
    session.on('stream', (stream, headers) => this.#open(stream as ServerHttp2Stream, headers, connection))
    connection.leaveWhenIdle(idleTimeoutMs, maxConnectionAgeGraceMs)
    if (maxConnectionAgeMs !== undefined) {
      // Connections that began together must not end together.
      const ageMs = maxConnectionAgeMs * (0.9 + Math.random() * 0.2)
      connection.after(ageMs, () => connection.leave(maxConnectionAgeGraceMs))
    }
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection): void {
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
    const receiver = new CallReceiver(this.#receivingServer, connection, call, method)
    this.#expect(receiver)
    receiver.attach(stream)
  }

  #received(receiver: CallReceiver): void {
    this.#receiving.delete(receiver)
    if (receiver.method.kind === 'streaming') this.#streaming.add(receiver.call)
  }

  #closed(receiver: CallReceiver): void {
    this.#receiving.delete(receiver)
    if (receiver.method.kind === 'streaming') this.#streaming.delete(receiver.call)
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

  #expect(receiver: CallReceiver): void {
    this.#receiving.add(receiver, performance.now())
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.min(sweepMs, this.#limits.receiveTimeoutMs),
    ).unref()
  }

  #sweep(): void {
    const since = performance.now() - this.#limits.receiveTimeoutMs
    for (;;) {
      const late = this.#receiving.takeOlderThan(since)
      if (late === undefined) break
      late.call.fail(grpcStatus.invalidArgument, 'the message did not arrive in time')
    }
    if (!this.#receiving.isEmpty) return
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
