import type { ServerHttp2Stream } from 'node:http2'
import type { Connection } from './connection.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { GrpcMethod } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { MessageReader, wholeMessage } from './message-reader.ts'

/** The server of a call, as its receiver sees it. */
export interface ReceivingServer {
  readonly maxMessageBytes: number
  /** Called when the only message of a call has arrived, or a streaming call has begun. */
  received(receiver: CallReceiver): void
  /** Called once when nothing of the call is left. */
  closed(receiver: CallReceiver): void
  answerLater(call: GrpcCall, answer: Promise<Uint8Array>): void
  fail(call: GrpcCall, error: unknown): void
}

/**
 * Receives the messages of one call. The listeners of a stream are the same functions for each call: closures and wrappers for `once`
 * would be a fifth of what a cached check allocates.
 */
export class CallReceiver {
  readonly call: GrpcCall
  readonly method: GrpcMethod
  readonly #server: ReceivingServer
  readonly #connection: Connection
  #message: Buffer | undefined
  /** Only for messages in several pieces. */
  #reader: MessageReader | undefined
  #isOver = false
  /** Since when the message is waited for; with its neighbours kept by `ReceivingCalls`. */
  since = 0
  previous: CallReceiver | undefined
  next: CallReceiver | undefined

  constructor(server: ReceivingServer, connection: Connection, call: GrpcCall, method: GrpcMethod) {
    this.#server = server
    this.#connection = connection
    this.call = call
    this.method = method
  }

  /** Listens to the stream of the call. */
  attach(stream: ServerHttp2Stream): void {
    this.#connection.callOpened()
    ;(stream as ReceivedStream)[receiver] = this
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('close', onClose)
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return
    try {
      const whole = this.#reader === undefined ? wholeMessage(chunk, this.#server.maxMessageBytes) : undefined
      if (whole !== undefined) {
        this.#take(whole)
        return
      }
      this.#reader ??= new MessageReader(this.#server.maxMessageBytes)
      this.#reader.push(chunk, message => this.#take(message))
    } catch (error) {
      this.#fail(error)
    }
  }

  end(): void {
    if (this.#isOver) return
    this.#server.received(this)
    const { method, call } = this
    try {
      if (this.#reader?.isIncomplete) {
        throw new GrpcFailure(grpcStatus.invalidArgument, 'the message is cut short')
      }
      if (method.kind === 'streaming') {
        method.onEnd(call)
        return
      }
      const message = this.#message
      if (message === undefined) throw new GrpcFailure(grpcStatus.invalidArgument, 'there is no message')
      this.#message = undefined
      const answer = method.answer(message, call)
      if (answer instanceof Promise) this.#server.answerLater(call, answer)
      else call.reply(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  close(): void {
    this.#isOver = true
    this.#connection.callClosed()
    this.#server.closed(this)
  }

  #take(message: Buffer): void {
    const { method, call } = this
    if (method.kind === 'streaming') {
      this.#server.received(this)
      method.onMessage(message, call)
      return
    }
    if (this.#message !== undefined) {
      throw new GrpcFailure(grpcStatus.invalidArgument, 'the method takes one message')
    }
    this.#message = message
  }

  #fail(error: unknown): void {
    this.#isOver = true
    this.#server.received(this)
    this.#server.fail(this.call, error)
  }
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
