import type { ServerHttp2Stream } from 'node:http2'
import type { Connection } from './connection.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { GrpcMethod } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { MessageReader, prefixBytes, wholeMessage } from './message-reader.ts'

/** The server of a call, as its receiver sees it. */
export interface ReceivingServer {
  readonly maxMessageBytes: number
  /** Called when the call waits for its caller: to send a message, or to read the answer. */
  waits(receiver: CallReceiver): void
  /** Called when the call has its message, and waits for its caller no longer. */
  received(receiver: CallReceiver): void
  /** Called when the call keeps more bytes. */
  holdsMore(): void
  /** Called once when nothing of the call is left. */
  closed(receiver: CallReceiver): void
  answerLater(receiver: CallReceiver, answer: Promise<Uint8Array>): void
  /** Ends the call. Called once, after which the receiver passes over what still arrives. */
  failed(receiver: CallReceiver, error: unknown): void
}

/**
 * Receives the messages of one call. The listeners of a stream are the same functions for each call: closures and wrappers for `once`
 * would be a fifth of what a cached check allocates.
 */
export class CallReceiver {
  readonly call: GrpcCall
  readonly method: GrpcMethod | undefined
  readonly connection: Connection
  readonly #server: ReceivingServer
  #message: Buffer | undefined
  /** Only for messages in several pieces. */
  #reader: MessageReader | undefined
  #heldBytes = 0
  #isOver = false
  /** Since when the call waits for its caller; with the list and the neighbours kept by `WaitingCalls`. */
  since = 0
  waitsIn: object | undefined
  previous: CallReceiver | undefined
  next: CallReceiver | undefined

  /** `method` is `undefined` for a call that fails in any case. */
  constructor(server: ReceivingServer, connection: Connection, call: GrpcCall, method?: GrpcMethod) {
    this.#server = server
    this.connection = connection
    this.call = call
    this.method = method
  }

  /** Whether the call has its whole answer, which its caller may not have read. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Listens to the stream of the call. */
  attach(stream: ServerHttp2Stream): void {
    this.connection.callOpened()
    ;(stream as ReceivedStream)[receiver] = this
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('close', onClose)
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return
    try {
      const whole = this.#reader === undefined ? wholeMessage(chunk, this.#server.maxMessageBytes) : undefined
      if (whole === undefined) {
        this.#reader ??= new MessageReader(this.#server.maxMessageBytes)
        this.#reader.push(chunk, message => this.#take(message))
      } else {
        this.#take(whole)
      }
      this.#holds((this.#reader?.heldBytes ?? 0) + (this.#message ? prefixBytes + this.#message.length : 0))
      if (this.#reader?.isIncomplete) this.#server.waits(this)
    } catch (error) {
      this.fail(error)
    }
  }

  end(): void {
    if (this.#isOver) return
    const { method, call } = this
    this.#server.received(this)
    try {
      if (this.#reader?.isIncomplete) {
        throw new GrpcFailure(grpcStatus.invalidArgument, 'the message is cut short')
      }
      if (method?.kind === 'streaming') {
        method.onEnd(call)
        return
      }
      const message = this.#message
      if (message === undefined) throw new GrpcFailure(grpcStatus.invalidArgument, 'there is no message')
      this.#release()
      if (this.connection.awaitsCall) this.connection.announceEndDuring(() => this.#answer(message))
      else this.#answer(message)
    } catch (error) {
      this.fail(error)
    }
  }

  close(): void {
    this.#isOver = true
    this.#release()
    this.connection.callClosed()
    this.#server.closed(this)
  }

  #answer(message: Buffer): void {
    const { method, call } = this
    if (method?.kind !== 'unary') return
    try {
      const answer = method.answer(message, call)
      if (answer instanceof Promise) this.#server.answerLater(this, answer)
      else if (answer !== undefined) this.reply(answer)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Sends the only message of the answer. */
  reply(frame: Uint8Array): void {
    this.call.reply(frame)
    this.#isOver = true
    this.#server.waits(this)
  }

  /** Ends the call with an error, unless it has its answer. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#release()
    this.#server.received(this)
    this.#server.failed(this, error)
  }

  #take(message: Buffer): void {
    const { method, call } = this
    if (method?.kind === 'streaming') {
      this.#server.received(this)
      method.onMessage(message, call)
      return
    }
    if (this.#message !== undefined) {
      throw new GrpcFailure(grpcStatus.invalidArgument, 'the method takes one message')
    }
    this.#message = this.connection.held.isEmpty ? message : withoutNeighbours(message)
  }

  #holds(bytes: number): void {
    const { held } = this.connection
    const more = bytes - this.#heldBytes
    this.#heldBytes = bytes
    held.add(more)
    if (more <= 0) return
    if (held.isExceeded) {
      throw new GrpcFailure(
        grpcStatus.resourceExhausted,
        'too many bytes of incomplete messages on the connection',
        'overload',
      )
    }
    this.#server.holdsMore()
  }

  #release(): void {
    this.#message = undefined
    this.#reader = undefined
    if (this.#heldBytes > 0) this.#holds(0)
  }
}

/**
 * Copies a small part of what was read from the socket, because it would keep all of it. The call that is the only one to wait for its
 * end needs none: it mostly ends at once.
 */
function withoutNeighbours(message: Buffer): Buffer {
  if (message.buffer.byteLength <= 2 * (prefixBytes + message.length)) return message
  const copy = Buffer.allocUnsafeSlow(message.length)
  message.copy(copy)
  return copy
}

const receiver = Symbol('receiver')

type ReceivedStream = ServerHttp2Stream & { [receiver]?: CallReceiver | undefined }

function onData(this: ReceivedStream, chunk: Buffer): void {
  this[receiver]?.data(chunk)
}

function onEnd(this: ReceivedStream): void {
  this[receiver]?.end()
}

function onClose(this: ReceivedStream): void {
  this[receiver]?.close()
  // Streams are freed late, by a full collection: what belongs to the call goes earlier.
  this[receiver] = undefined
}
