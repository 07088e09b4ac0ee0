import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { ListenerTls } from '../tls/listener-tls.ts'
import { CallReceiver, type ReceivingServer } from './call-receiver.ts'
import { Connection } from './connection.ts'
import { GrpcCall } from './grpc-call.ts'
import type { GrpcFault } from './grpc-fault.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import type { GrpcMethods } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { HeldBytes } from './held-bytes.ts'
import { sessionServer } from './session-server.ts'
import { StreamingCalls } from './streaming-calls.ts'
import { WaitingCalls } from './waiting-calls.ts'

/** How often calls are looked for whose caller takes too long. */
const sweepMs = 1_000

/** Where a server reports what its callers cannot be told. */
export interface GrpcReports {
  /** Called with each unexpected error of a method. */
  readonly onError: (error: unknown) => void
  /** Called for each call or connection that ends without a verdict. */
  readonly onFault: (fault: GrpcFault) => void
}

/** A server of gRPC, which serves methods to the connections of callers. */
export class GrpcServer {
  readonly server: Http2Server | Http2SecureServer
  readonly #methods: GrpcMethods
  readonly #limits: GrpcLimits
  readonly #reports: GrpcReports
  readonly #connections = new Set<Connection>()
  /** Calls whose message has not arrived. */
  readonly #receiving = new WaitingCalls()
  /** Calls whose answer may not be read. */
  readonly #unread = new WaitingCalls()
  readonly #streaming: StreamingCalls
  readonly #held: HeldBytes
  readonly #receivingServer: ReceivingServer
  #sweeper: NodeJS.Timeout | undefined

  constructor(methods: GrpcMethods, limits: GrpcLimits, reports: GrpcReports, tls?: ListenerTls) {
    this.#methods = methods
    this.#limits = limits
    this.#reports = reports
    this.#held = new HeldBytes(limits.maxHeldBytes)
    this.#streaming = new StreamingCalls(limits)
    this.#receivingServer = {
      maxMessageBytes: limits.maxMessageBytes,
      waits: receiver => this.#wait(receiver),
      received: receiver => this.#receiving.delete(receiver),
      holdsMore: () => this.#makeRoom(),
      closed: receiver => this.#closed(receiver),
      answerLater: (receiver, answer) => void this.#answerLater(receiver, answer),
      failed: (receiver, error) => this.#failed(receiver, error),
    }
    this.server = sessionServer(limits, tls, (session, socket) => this.#serve(session, socket))
    this.server.maxConnections = limits.maxConnections
    this.server.on('drop', () => reports.onFault('connection_limit'))
    // A malformed frame is the caller's error, and ends that connection only.
    this.server.on('sessionError', error => {
      if (isProtocolError(error)) reports.onFault('protocol')
    })
  }

  /** The connections of now. */
  get connections(): Iterable<Connection> {
    return this.#connections
  }

  /** Ends calls of several messages, and refuses further ones: they have no natural end and would delay a stop. */
  endStreaming(): void {
    this.#streaming.end()
  }

  #serve(session: ServerHttp2Session, socket?: Socket): void {
    const { maxHeldBytesPerConnection, receiveTimeoutMs, idleTimeoutMs, maxConnectionAgeMs } = this.#limits
    const connection = new Connection(session, new HeldBytes(maxHeldBytesPerConnection, this.#held), socket)
    this.#connections.add(connection)
    session.once('close', () => this.#connections.delete(connection))
    session.on('error', () => session.destroy())
    let spoke = false
    session.once('remoteSettings', () => {
      spoke = true
    })
    connection.after(receiveTimeoutMs, () => {
      if (spoke) return
      this.#reports.onFault('timeout')
      session.destroy()
    })
    session.on('stream', (stream, headers) => this.#open(stream as ServerHttp2Stream, headers, connection))
    connection.whenIdle(idleTimeoutMs, () => this.#leave(connection))
    if (maxConnectionAgeMs !== undefined) {
      // Connections that began together must not end together.
      const ageMs = maxConnectionAgeMs * (0.9 + Math.random() * 0.2)
      connection.after(ageMs, () => this.#leave(connection))
    }
  }

  #leave(connection: Connection): void {
    connection.leave(this.#limits.maxConnectionAgeGraceMs())
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection): void {
    stream.on('error', ignore)
    const call = new GrpcCall(stream, headers)
    const method = this.#methods.get(headers[':path'] as string)
    const receiver = new CallReceiver(this.#receivingServer, connection, call, method)
    receiver.attach(stream)
    if (this.#receiving.count + this.#unread.count >= this.#limits.maxWaitingCalls) this.#shedOldest()
    this.#wait(receiver)
    try {
      if (!isGrpc(headers)) throw new NotGrpc()
      if (method === undefined) {
        throw new GrpcFailure(grpcStatus.unimplemented, 'the method is not implemented', 'unknown_method')
      }
      if (method.kind === 'streaming') this.#streaming.add(receiver)
    } catch (error) {
      receiver.fail(error)
    }
  }

  #closed(receiver: CallReceiver): void {
    this.#receiving.delete(receiver)
    this.#unread.delete(receiver)
    if (receiver.method?.kind === 'streaming') this.#streaming.delete(receiver)
  }

  async #answerLater(receiver: CallReceiver, answer: Promise<Uint8Array>): Promise<void> {
    try {
      receiver.reply(await answer)
    } catch (error) {
      receiver.fail(error)
    }
  }

  #failed(receiver: CallReceiver, error: unknown): void {
    const { call } = receiver
    // The reason of the caller's own leave.
    if (call.isClosed) return
    if (error instanceof NotGrpc) {
      this.#reports.onFault('content_type')
      call.refuse(415)
    } else if (error instanceof GrpcFailure) {
      this.#reports.onFault(error.fault)
      call.fail(error.status, error.message)
    } else {
      this.#reports.onFault('internal')
      this.#reports.onError(error)
      call.fail(grpcStatus.internal, 'internal error')
    }
    this.#wait(receiver)
  }

  #wait(receiver: CallReceiver): void {
    if (receiver.call.isClosed) return
    const list = receiver.isOver ? this.#unread : this.#receiving
    list.add(receiver, performance.now())
    this.#sweeper ??= setInterval(
      () => this.#sweep(),
      Math.min(sweepMs, this.#limits.receiveTimeoutMs),
    ).unref()
  }

  #makeRoom(): void {
    while (this.#held.isExceeded && this.#receiving.count > 0) this.#refuseOldest()
  }

  #shedOldest(): void {
    if (this.#receiving.count > this.#unread.count) {
      this.#refuseOldest()
      return
    }
    // Its caller does not read, so a failure would be one more thing in memory.
    this.#reports.onFault('unread')
    this.#unread.takeOldest()?.connection.destroy()
  }

  #refuseOldest(): void {
    const failure = new GrpcFailure(grpcStatus.resourceExhausted, 'too many incomplete calls', 'overload')
    this.#receiving.takeOldest()?.fail(failure)
  }

  #sweep(): void {
    const since = performance.now() - this.#limits.receiveTimeoutMs
    for (const unread of this.#streaming.unreadSince(since)) this.#cut(unread)
    for (;;) {
      const unread = this.#unread.takeOlderThan(since)
      if (unread === undefined) break
      this.#cut(unread)
    }
    for (;;) {
      const late = this.#receiving.takeOlderThan(since)
      if (late === undefined) break
      late.fail(new GrpcFailure(grpcStatus.invalidArgument, 'the message did not arrive in time', 'timeout'))
    }
    if (this.#receiving.count + this.#unread.count > 0 || !this.#streaming.isEmpty) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  /** A caller that does not read one answer may read none, so its connection goes too. */
  #cut(receiver: CallReceiver): void {
    this.#reports.onFault('unread')
    receiver.call.cut()
    this.#leave(receiver.connection)
  }
}

class NotGrpc extends Error {}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type']
  return (
    headers[':method'] === 'POST' &&
    (type === 'application/grpc' || type?.toLowerCase() === 'application/grpc+proto')
  )
}

/** A caller that vanishes is none. */
function isProtocolError(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_HTTP2')
}

function ignore(): void {}
