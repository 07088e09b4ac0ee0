import type { CallReceiver } from './call-receiver.ts'
import type { GrpcLimits } from './grpc-limits.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'

type Limits = Pick<GrpcLimits, 'maxStreamingCalls' | 'maxStreamingCallsPerConnection'>

/** Calls of several messages, which have no natural end: few at the same time, and none during a stop. */
export class StreamingCalls {
  readonly #limits: Limits
  readonly #calls = new Set<CallReceiver>()
  #isEnded = false

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0
  }

  /** Adds a call. Throws a `GrpcFailure` when there are too many, and during a stop. */
  add(receiver: CallReceiver): void {
    if (this.#isEnded)
      throw new GrpcFailure(grpcStatus.unavailable, 'the server is shutting down', 'stopping')
    const { maxStreamingCalls, maxStreamingCallsPerConnection } = this.#limits
    const onConnection = [...this.#calls].filter(({ connection }) => connection === receiver.connection)
    if (this.#calls.size >= maxStreamingCalls || onConnection.length >= maxStreamingCallsPerConnection) {
      throw new GrpcFailure(grpcStatus.resourceExhausted, 'too many streaming calls', 'overload')
    }
    this.#calls.add(receiver)
  }

  delete(receiver: CallReceiver): void {
    this.#calls.delete(receiver)
  }

  /** Calls whose caller has left a message unread since then or longer. */
  unreadSince(time: number): readonly CallReceiver[] {
    return [...this.#calls].filter(({ call }) => call.isUnreadSince(time))
  }

  /** Ends every call, and those that begin later. */
  end(): void {
    this.#isEnded = true
    for (const { call } of this.#calls) call.end()
  }
}
